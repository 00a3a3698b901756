/** One session with the embedded database. */
import type { Results } from '@electric-sql/pglite'
import { IngestError, messageOf } from '../../errors.js'
import type { CopyTarget, SqlSession, Statement } from '../sql.js'
import { traced } from '../wire-events.js'
import type { Engine } from './engine.js'
import { brokenEngine, statementError } from './errors.js'
import type { FolderLock } from './lock.js'

export type SessionParts = {
  readonly engine: Engine
  readonly lock: FolderLock
  readonly signal: AbortSignal | undefined
}

/**
 * Statements run one after the other. Each blocks the process while it runs, so the signal is looked at before it.
 * A commit is on the disk (fsync) when it returns; the session may be killed at any time.
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
    const [answer] = await this.#ask(async () => [await postgres.query<Row>(text, [...values])])
    return answer?.rows ?? []
  }

  async execute(text: string): Promise<void> {
    this.#assertUsable()
    const answers = await this.#ask(() => this.#parts.engine.postgres.exec(text))
    // The COMMIT of a transaction that failed before answers ROLLBACK, and that is no error to Postgres.
    const rolledBack = answers.some(answer => answer.command === 'ROLLBACK')
    if (rolledBack && !/\brollback\b/i.test(text))
      throw statementError(new Error('the transaction had failed and was rolled back'))
  }

  async pipeline(statements: readonly Statement[]): Promise<readonly (readonly object[])[]> {
    const answers: (readonly object[])[] = []
    for (const { text, values } of statements) answers.push(await this.query(text, values))
    return answers
  }

  async copyIn({ table, columns }: CopyTarget, data: Uint8Array): Promise<void> {
    this.#assertUsable()
    const { postgres } = this.#parts.engine
    const copy = `COPY ${quoted(table)} (${columns.map(quoted).join(', ')}) FROM '/dev/blob'`
    await this.#ask(async () => [await postgres.query(copy, [], { blob: new Bytes(data) })])
  }

  /** Moves what was committed from the log into the tables' files, all of it fsynced; keeps the log short. */
  async sync(): Promise<void> {
    await this.execute('CHECKPOINT')
  }

  /** Ends the session and lets the folder go; a transaction still open is rolled back. */
  close(): Promise<void> {
    return (this.#closing ??= this.#end())
  }

  /**
   * Shutting down an engine that has lost a write makes Postgres take its files for clean, and that destroys them. So
   * the writes are asked for first, as a statement that fails loudly; whatever failed is left to the next recovery.
   */
  async #end(): Promise<void> {
    const { engine, lock } = this.#parts
    try {
      if (this.#broken) return
      await this.#ask(() => engine.postgres.exec('ROLLBACK; CHECKPOINT'))
      await engine.postgres.close()
    } finally {
      await lock.release()
    }
  }

  #assertUsable(): void {
    if (this.#closing) throw new IngestError('internal', 'the embedded database is closed already')
    if (this.#broken) throw this.#broken
    const { signal } = this.#parts
    if (signal?.aborted) throw interrupted(signal.reason)
  }

  /** An engine that dies under a statement may answer nothing at all, even to COMMIT: no command tag, no success. */
  async #ask<Row>(statement: () => Promise<Results<Row>[]>): Promise<Results<Row>[]> {
    let answers: Results<Row>[]
    try {
      answers = await traced({ operation: 'statement', endpoint: 'the embedded database' }, statement)
    } catch (error) {
      throw isRefusal(error) ? statementError(error) : this.#break(error)
    }
    if (answers.some(answer => answer.command === undefined)) throw this.#break(new Error('it died without an answer'))
    return answers
  }

  #break(cause: unknown): IngestError {
    const reason = this.#parts.engine.folder.lastWords() ?? messageOf(cause)
    return (this.#broken = brokenEngine(reason, cause))
  }
}

/** A blob makes a copy of its bytes, and one more of them when it is read: many MB that wait for the collector. */
class Bytes extends Blob {
  constructor(private readonly data: Uint8Array) {
    super([])
  }

  override async arrayBuffer(): Promise<ArrayBuffer> {
    return new Uint8Array(this.data).buffer
  }
}

/** An ordinary error leaves Postgres as it was; FATAL and PANIC, and whatever else is thrown, do not. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'severity' in error && error.severity === 'ERROR'
}

function interrupted(reason: unknown): IngestError {
  return reason instanceof IngestError ? reason : new IngestError('interrupted', 'interrupted', { cause: reason })
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
