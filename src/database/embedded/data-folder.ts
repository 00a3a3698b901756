/** PGlite's access to its data folder, extended by the engine repairs and by a log of what Postgres prints. */
import { NodeFS } from '@electric-sql/pglite/nodefs'
import { type EngineModule, throwWhenDead, supportFsync, withoutTimers } from './engine-repairs.js'

const LOG_LINES = 50

export class DataFolder extends NodeFS {
  readonly #log: string[] = []

  override async init(...[engine, options]: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(engine, options)
    const log = (line: string) => void this.#appendLog(line)
    const preRun = [...(emscriptenOpts.preRun ?? []), repair]
    return { emscriptenOpts: { ...withoutTimers(emscriptenOpts), print: log, printErr: log, preRun } }
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
