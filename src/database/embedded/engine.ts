/** Starts PGlite in a data folder with settings for durable and exact storage. */

import { PGlite, types } from '@electric-sql/pglite'
import { NodeFS } from '@electric-sql/pglite/nodefs'
import { DatabaseError } from 'pg-protocol/dist/messages.js'
import { Parser } from 'pg-protocol/dist/parser.js'
import { assertDataVersion } from './data-dir.js'
import { unusableDatabase } from './errors.js'
import { EngineClock, type EngineModule, throwWhenDead, supportFsync, withEngineClock } from './engine-repairs.js'

export type Engine = { readonly postgres: PGlite; readonly folder: DataFolder; readonly dataDir: string }

/**
 * Postgres's buffer size. The default of 128 MB uses more memory but is no faster, because the system caches the same files.
 */
const SHARED_BUFFERS = '16MB'

/**
 * Start parameters: PGlite's own, which set search_path to public, without -F, which turns fsync off. The sync method is fsync
 * because the default, fdatasync, has no effect in the engine.
 */
const OWN_PARAMETERS = ['-c', 'wal_sync_method=fsync', '-c', `shared_buffers=${SHARED_BUFFERS}`]
const START_PARAMETERS = [...PGlite.defaultStartParams.filter(parameter => parameter !== '-F'), ...OWN_PARAMETERS]

/**
 * Starts the engine.
 * @throws {IngestError} `target_misconfigured` when the folder is not a database of this Postgres version, or is damaged. The
 * folder is not moved or deleted
 */
export async function startEngine(dataDir: string): Promise<Engine> {
  await assertDataVersion(dataDir)
  const folder = new DataFolder(dataDir)
  try {
    // int8 is returned as text, like by `pg`, because a number cannot represent every int8.
    const parsers = { [types.INT8]: (digits: string) => digits }
    const postgres = await whenReady(new ExactPGlite({ fs: folder, startParams: START_PARAMETERS, parsers }))
    return { postgres, folder, dataDir }
  } catch (cause) {
    throw unusableDatabase(dataDir, folder.lastFatalMessage() || undefined, cause)
  }
}

/** Waits until PGlite is ready. `PGlite.create` cannot be used, because it does not create objects of a subclass. */
async function whenReady(postgres: PGlite): Promise<PGlite> {
  await postgres.waitReady
  return postgres
}

type Options = Parameters<PGlite['execProtocolStream']>[1]
type Messages = Awaited<ReturnType<PGlite['execProtocolStream']>>

/**
 * A PGlite that returns every string exactly as it was stored. It decodes answers with the parser of the Postgres driver, because
 * PGlite's own parser drops U+FEFF at the start of a string: its TextDecoder treats that character as a byte order mark.
 * @see docs/adr/0018-embedded-answers-read-by-pg.md
 */
class ExactPGlite extends PGlite {
  /** `query` and `exec` send every message through this method. */
  override async execProtocolStream(message: Uint8Array, { syncToFs = true }: Options = {}): Promise<Messages> {
    const chunks: Uint8Array[] = []
    // The bytes are copied because the engine reuses their memory. They are decoded after the engine has returned, because an
    // exception in the callback would crash it.
    await this.execProtocolRawStream(message, { syncToFs, onRawData: bytes => chunks.push(bytes.slice()) })
    return decode(Buffer.concat(chunks))
  }
}

/** @throws {DatabaseError} the first error among the messages */
function decode(answer: Buffer): Messages {
  const messages: Messages = []
  new Parser().parse(answer, message => {
    if (message instanceof DatabaseError) throw message
    messages.push(message)
  })
  return messages
}

/** The reason for a crash by which a damaged database is known. */
export const ENDLESS_WAIT = 'a statement waits for a transaction that never ends'

/** Number of lines of Postgres's output that are kept. */
const LOG_LINES = 50

/** PGlite's access to its data folder, extended by the engine repairs and by a log of what Postgres prints. */
class DataFolder extends NodeFS {
  readonly #log: string[] = []
  readonly #clock = new EngineClock(() => this.#appendLog(`FATAL:  ${ENDLESS_WAIT}`))

  override async init(...[engine, options]: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(engine, options)
    const log = (line: string) => void this.#appendLog(line)
    const preRun = [...(emscriptenOpts.preRun ?? []), repair]
    return { emscriptenOpts: { ...withEngineClock(emscriptenOpts, this.#clock), print: log, printErr: log, preRun } }
  }

  /** The message of the last FATAL or PANIC error that Postgres printed; undefined if there was none. */
  lastFatalMessage(): string | undefined {
    const at = this.#log.findLastIndex(line => /(PANIC|FATAL): /.test(line))
    if (at === -1) return undefined
    const [reason, next] = [this.#log[at], this.#log[at + 1]].map(line =>
      line?.replace(/^.*(PANIC|FATAL|DETAIL): +/, ''),
    )
    return this.#log[at + 1]?.includes('DETAIL: ') ? `${reason} (${next})` : reason
  }

  #appendLog(line: string): void {
    this.#log.push(line)
    if (this.#log.length > LOG_LINES) this.#log.shift()
  }
}

function repair(engine: object): void {
  const module = engine as EngineModule
  supportFsync(module)
  throwWhenDead(module)
}
