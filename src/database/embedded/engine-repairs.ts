/** Repairs of defects in PGlite's engine (Emscripten code) that would lose data or hang the process. */
import fs from 'node:fs'
import type { NodeFS } from '@electric-sql/pglite/nodefs'
import { fsyncFolder } from './data-dir.js'
import { monotonicMs } from '../../monotonic-time.js'

export type EngineOptions = Parameters<NodeFS['init']>[1]

/** The parts of the engine that are used here. Its published types omit most of them. */
export type EngineModule = { readonly FS: Files; _pgl_setPGliteExitStatus: (why: number) => number } & Record<
  (typeof ENTRIES)[number],
  () => void
>
type Files = {
  readonly ErrnoError: new (errno: number) => Error
  readonly filesystems: { readonly NODEFS: { realPath(node: unknown): string; readonly stream_ops: StreamOperations } }
}
type StreamOperations = { fsync?: (stream: Stream) => number }
/** An open file or folder. A folder has no descriptor. */
type Stream = { readonly nfd?: number; readonly node: unknown }
type Instantiate = (imports: { readonly env: Record<string, unknown> }, done: unknown) => unknown

/** The engine's error number for EIO. */
const IO_ERROR = 29

/** The argument with which PGlite asks the engine which kind of exception it caught. */
const AFTER_EXCEPTION = -2
/** The engine's answer for an ordinary Postgres error. */
const POSTGRES_ERROR = 100

/** The functions of the engine that PGlite calls to process a message. */
const ENTRIES = ['_PostgresMainLoopOnce', '_PostgresSendReadyForQueryIfNecessary', '_pgl_pq_flush'] as const

/**
 * Adds fsync to the engine's files. The engine has no implementation for files on disk, so a commit would only be in memory.
 */
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
 * Replaces the engine's timers and clock.
 *
 * Postgres's timers (statistics after 10 s, progress every 10 s during recovery) are disabled. Nothing stops them when Postgres
 * crashes, so they would keep the process alive. A single session that is never interrupted needs no timers.
 */
export function withEngineClock(options: EngineOptions, clock: EngineClock): EngineOptions {
  const instantiate = options.instantiateWasm as Instantiate
  const instantiateWasm: Instantiate = (imports, done) => {
    imports.env['_setitimer_js'] = () => 0
    imports.env['emscripten_get_now'] = () => clock.now()
    return instantiate(imports, done)
  }
  return { ...options, instantiateWasm }
}

/** Longest wait. A sound database does not wait at all, and reads the clock about once in a checkpoint. */
const MAX_WAIT_MS = 500
/** Two readings of the clock that are closer than this count as waiting. */
const WAIT_STEP_MS = 1
/** After a longer pause between two readings, a new wait begins. */
const NEW_WAIT_MS = 1_000

/**
 * The engine's clock, which ends a wait that would never end. The engine waits by reading the clock in a loop, which uses a whole
 * CPU. A single session only waits when its files are damaged, for example for a transaction that they say is still running.
 */
export class EngineClock {
  #lastMs = 0
  #waitedMs = 0

  /** @param onEndlessWait called before the clock throws */
  constructor(private readonly onEndlessWait: () => void) {}

  /** @throws {Error} when the engine has waited too long. It is then dead */
  now(): number {
    const nowMs = monotonicMs()
    const stepMs = nowMs - this.#lastMs
    this.#lastMs = nowMs
    if (stepMs < WAIT_STEP_MS) this.#waitedMs += stepMs
    else if (stepMs > NEW_WAIT_MS) this.#waitedMs = 0
    if (this.#waitedMs <= MAX_WAIT_MS) return nowMs
    this.onEndlessWait()
    throw new Error('the engine waits without end')
  }
}

/**
 * Makes PGlite throw when the engine crashes, and never call that engine again. PGlite ignores what a crashing engine throws
 * (a PANIC on a full disk, a trap) and continues. Later statements, COMMIT included, would then succeed without an answer or
 * wait forever for a lock of the crashed session.
 */
export function throwWhenDead(engine: EngineModule): void {
  let exitStatus = engine._pgl_setPGliteExitStatus
  let dead = false
  const check = (why: number) => {
    const status = dead ? why : exitStatus(why)
    if (why !== AFTER_EXCEPTION || status === POSTGRES_ERROR) return status
    dead = true
    for (const entry of ENTRIES) engine[entry] = throwDead
    return throwDead()
  }
  // An accessor property, because the engine replaces this function at the first call.
  const set = (next: typeof exitStatus) => (exitStatus = next)
  Object.defineProperty(engine, '_pgl_setPGliteExitStatus', { get: () => check, set })
}

function throwDead(): never {
  throw new Error('the engine died')
}
