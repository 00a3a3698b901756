/** PGlite's way to its folder on disk: with the engine's repairs, and keeping what Postgres says about its own end. */
import { NodeFS } from '@electric-sql/pglite/nodefs'
import { type EngineModule, throwWhenDead, supportFsync, withoutTimers } from './engine-repairs.js'

const LOG_LINES = 50

export class DataFolder extends NodeFS {
  readonly #log: string[] = []

  override async init(...[engine, options]: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(engine, options)
    const keep = (line: string) => void this.#keep(line)
    const preRun = [...(emscriptenOpts.preRun ?? []), repair]
    return { emscriptenOpts: { ...withoutTimers(emscriptenOpts), print: keep, printErr: keep, preRun } }
  }

  /** Why Postgres gave up, in its own words; undefined when it did not say. */
  lastWords(): string | undefined {
    const at = this.#log.findLastIndex(line => /(PANIC|FATAL): /.test(line))
    if (at === -1) return undefined
    const [reason, next] = [this.#log[at], this.#log[at + 1]].map(line =>
      line?.replace(/^.*(PANIC|FATAL|DETAIL): +/, ''),
    )
    return this.#log[at + 1]?.includes('DETAIL: ') ? `${reason} (${next})` : reason
  }

  #keep(line: string): void {
    this.#log.push(line)
    if (this.#log.length > LOG_LINES) this.#log.shift()
  }
}

function repair(engine: object): void {
  const module = engine as EngineModule
  supportFsync(module)
  throwWhenDead(module)
}
