/** What PGlite's engine (Emscripten code) does wrong for a database that must not lose anything, and the repairs. */
import fs from 'node:fs'
import type { NodeFS } from '@electric-sql/pglite/nodefs'
import { fsyncFolder } from './fsync-folder.js'

export type EngineOptions = Parameters<NodeFS['init']>[1]

/** The parts of the engine that are used here; its published types know little of them. */
export type EngineModule = { readonly FS: Files; _pgl_setPGliteExitStatus: (why: number) => number } & Record<
  (typeof ENTRIES)[number],
  () => void
>
type Files = {
  readonly ErrnoError: new (errno: number) => Error
  readonly filesystems: { readonly NODEFS: { realPath(node: unknown): string; readonly stream_ops: StreamOperations } }
}
type StreamOperations = { fsync?: (stream: Stream) => number }
/** A stream of a folder has no descriptor. */
type Stream = { readonly nfd?: number; readonly node: unknown }
type Instantiate = (imports: { readonly env: Record<string, unknown> }, done: unknown) => unknown

/** EIO in the engine's own numbering. */
const IO_ERROR = 29

/** PGlite asks with the first which kind of exception it caught; the second is an ordinary Postgres error. */
const AFTER_EXCEPTION = -2
const POSTGRES_ERROR = 100

/** Where PGlite enters the engine to run a message. */
const ENTRIES = ['_PostgresMainLoopOnce', '_PostgresSendReadyForQueryIfNecessary', '_pgl_pq_flush'] as const

/** The engine asks for fsync where Postgres does, but its files on disk have none: a commit would only be in memory. */
export function supportFsync({ FS: { ErrnoError, filesystems } }: EngineModule): void {
  const { NODEFS } = filesystems
  NODEFS.stream_ops.fsync = ({ nfd, node }) => {
    try {
      if (nfd === undefined) fsyncFolder(NODEFS.realPath(node))
      else fs.fsyncSync(nfd)
      return 0
    } catch {
      throw new ErrnoError(IO_ERROR)
    }
  }
}

/**
 * Postgres arms timers (statistics after 10 s, progress every 10 s while it recovers) that nothing disarms when it dies:
 * they would keep the process alive, for ever in the second case. One session that nobody interrupts needs none.
 */
export function withoutTimers(options: EngineOptions): EngineOptions {
  const instantiate = options.instantiateWasm as Instantiate
  const instantiateWasm: Instantiate = (imports, done) => {
    imports.env['_setitimer_js'] = () => 0
    return instantiate(imports, done)
  }
  return { ...options, instantiateWasm }
}

/**
 * PGlite ignores what a dying engine throws (PANIC on a full disk, a trap) and goes on with it: statements, COMMIT too,
 * then succeed without an answer, or wait for ever for a lock the dead one held. This makes PGlite throw, and never
 * enter that engine again.
 */
export function throwWhenDead(engine: EngineModule): void {
  let exitStatus = engine._pgl_setPGliteExitStatus
  let dead = false
  const check = (why: number) => {
    const status = dead ? why : exitStatus(why)
    if (why !== AFTER_EXCEPTION || status === POSTGRES_ERROR) return status
    dead = true
    for (const entry of ENTRIES) engine[entry] = die
    return die()
  }
  // An accessor, because the engine puts another function there at the first call.
  const set = (next: typeof exitStatus) => (exitStatus = next)
  Object.defineProperty(engine, '_pgl_setPGliteExitStatus', { get: () => check, set })
}

function die(): never {
  throw new Error('the engine died')
}
