/** The embedded database: Postgres in WebAssembly (PGlite) in one folder, with the same session interface as Postgres. */

import { mkdir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Results } from '@electric-sql/pglite'
import { IngestError, messageOf, systemCodeOf } from '../../errors.js'
import { migrate } from '../migrate.js'
import {
  copyStatement,
  interruptionError,
  isRolledBack,
  prepareSession,
  type CopyTarget,
  type SqlSession,
  type Statement,
} from '../session.js'
import { traced } from '../../http/wire-events.js'
import { ENDLESS_WAIT, type Engine, startEngine } from './engine.js'
import { brokenEngine, damagedDatabase, statementError, folderError, missingDatabase } from './errors.js'
import { type FolderLock, lockFolder } from './lock.js'
import { createDataDir } from './create-data-dir.js'
import { assertOpenFiles } from './data-dir.js'

type SessionParts = {
  readonly engine: Engine
  readonly lock: FolderLock
  readonly signal: AbortSignal | undefined
}

/**
 * Runs statements one after the other. A statement blocks the process, so the signal is only checked before each one.
 * A commit is on disk (fsync) when it returns, so the process may be killed at any time.
 */
export class EmbeddedSession implements SqlSession {
  readonly #parts: SessionParts
  #broken: IngestError | undefined
  #closing: Promise<void> | undefined

  constructor(parts: SessionParts) {
    this.#parts = parts
  }

  async query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    this.#assertUsable()
    const { postgres } = this.#parts.engine
    const [answer] = await this.#run(async () => [await postgres.query<Row>(text, [...values])])
    return answer?.rows ?? []
  }

  async execute(text: string): Promise<readonly object[]> {
    this.#assertUsable()
    const answers = await this.#run(() => this.#parts.engine.postgres.exec(text))
    const tags = answers.map(({ command }) => command)
    if (isRolledBack(text, tags))
      throw statementError(this.#parts.engine.dataDir, new Error('the transaction had failed and was rolled back'))
    return answers.at(-1)?.rows ?? []
  }

  async pipeline(statements: readonly Statement[]): Promise<readonly (readonly object[])[]> {
    const answers: (readonly object[])[] = []
    for (const { text, values } of statements) answers.push(await this.query(text, values))
    return answers
  }

  async copyIn(target: CopyTarget, data: Uint8Array): Promise<void> {
    this.#assertUsable()
    const { postgres } = this.#parts.engine
    const copy = copyStatement(target, "'/dev/blob'")
    await this.#run(async () => [await postgres.query(copy, [], { blob: new UncopiedBlob(data) })])
  }

  /** Writes a checkpoint: moves committed data from the write-ahead log into the tables' files, which keeps the log short. */
  async sync(): Promise<void> {
    await this.execute('CHECKPOINT')
  }

  /** Ends the session and releases the folder's lock. An open transaction is rolled back. */
  close(): Promise<void> {
    return (this.#closing ??= this.#end())
  }

  /**
   * Writes a checkpoint before the shutdown, because a checkpoint reports a failed write. A shutdown after a failed write would
   * mark the files as clean although they are not, and so destroy them. If the checkpoint fails, there is no shutdown, and the
   * next start recovers the data.
   */
  async #end(): Promise<void> {
    const { engine, lock } = this.#parts
    try {
      if (this.#broken) return
      await this.#run(() => engine.postgres.exec('ROLLBACK; CHECKPOINT'))
      await engine.postgres.close()
    } finally {
      await lock.release()
    }
  }

  #assertUsable(): void {
    if (this.#closing) throw new IngestError('internal', 'the embedded database is already closed')
    if (this.#broken) throw this.#broken
    const { signal } = this.#parts
    if (signal?.aborted) throw interruptionError(signal)
  }

  /**
   * Runs a statement. An answer without a command tag is a failure, because a crashing engine may answer nothing, even to
   * COMMIT.
   */
  async #run<Row>(statement: () => Promise<Results<Row>[]>): Promise<Results<Row>[]> {
    let answers: Results<Row>[]
    try {
      answers = await traced({ operation: 'statement', endpoint: 'the embedded database' }, statement)
    } catch (error) {
      throw isRejectedStatement(error) ? statementError(this.#parts.engine.dataDir, error) : this.#markBroken(error)
    }
    if (answers.some(answer => answer.command === undefined))
      throw this.#markBroken(new Error('it crashed without an answer'))
    return answers
  }

  #markBroken(cause: unknown): IngestError {
    const { folder, dataDir } = this.#parts.engine
    const reason = folder.lastFatalMessage() ?? messageOf(cause)
    this.#broken = reason === ENDLESS_WAIT ? damagedDatabase(dataDir, reason, cause) : brokenEngine(reason, cause)
    return this.#broken
  }
}

/** A Blob over bytes that are copied only once. A plain Blob copies them when it is created and again when it is read. */
class UncopiedBlob extends Blob {
  constructor(private readonly data: Uint8Array) {
    super([])
  }

  override async arrayBuffer(): Promise<ArrayBuffer> {
    return new Uint8Array(this.data).buffer
  }
}

/** Whether Postgres rejected the statement and remains usable. After FATAL, PANIC and any other exception it does not. */
function isRejectedStatement(error: unknown): boolean {
  return error instanceof Error && 'severity' in error && error.severity === 'ERROR'
}

/**
 * `create` creates a missing database. `signal` prevents the next statement from starting, because a running statement cannot
 * be interrupted.
 */
export type OpenEmbeddedOptions = { readonly create: boolean; readonly signal?: AbortSignal }

/**
 * Opens the database in the folder `dir` exclusively. No other process can open it until `close` or the end of this process.
 * With `create`, a missing folder or database is created.
 * @throws {IngestError} `target_busy` when another process has the database open; `target_misconfigured` when it is missing,
 * not writable, damaged or from another Postgres version. It is then unchanged, and the lock is released
 */
export async function openEmbedded(dir: string, { create, signal }: OpenEmbeddedOptions): Promise<EmbeddedSession> {
  const dataDir = join(dir, 'db')
  try {
    await assertOpenFiles()
    if (create) await makeFolder(resolve(dir))
    else if (!(await exists(dataDir))) throw missingDatabase(dir)
    const lock = await lockFolder(dir)
    try {
      if (create && !(await exists(dataDir))) await createDataDir(dataDir)
      return new EmbeddedSession({ engine: await startEngine(dataDir), lock, signal })
    } catch (error) {
      await lock.release()
      throw error
    }
  } catch (error) {
    throw folderError(dir, error)
  }
}

/** Opens the database for writing. Creates a missing one and applies migrations. @throws {IngestError} as `openEmbedded` */
export async function openMigrated(dir: string, signal: AbortSignal): Promise<EmbeddedSession> {
  return prepareSession(await openEmbedded(dir, { create: true, signal }), migrate)
}

/**
 * Creates a folder and its parents. Node's recursive mkdir loops forever in folders that allow no new entries, such as /proc.
 */
async function makeFolder(path: string): Promise<void> {
  if (await exists(path)) return
  await makeFolder(dirname(path))
  await mkdir(path).catch(async error => {
    // Another process may have created the folder in the meantime.
    if (systemCodeOf(error) !== 'EEXIST') throw error
  })
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return false
    throw error
  }
}
