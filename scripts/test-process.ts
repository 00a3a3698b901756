/** Runs one test file in a process of its own. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'

export type FileResult = {
  readonly ok: boolean
  /** Exit code or signal of the process. */
  readonly end: number | string
  /** Standard output of the process: TAP. */
  readonly output: string
  readonly seconds: number
}

const FLAGS = [
  '--enable-source-maps',
  '--import=./test/fixtures/typescript.js',
  '--import=./test/fixtures/testdir.ts',
  // PGlite is compiled in every process that opens it: quickly is better here than well.
  '--liftoff-only',
  '--wasm-lazy-validation',
]

/** Time for tap to report a timeout itself, after which the process is killed. */
const GRACE_MS = 30_000

/** tap sends how many milliseconds from now a file may take, and 0 when all of its tests have ended. */
type TapMessage = { readonly setTimeout?: number }

export type Limits = {
  /** How long the file may take, unless it sets another limit itself. */
  readonly timeoutSeconds: number
  readonly graceMs?: number
}

export async function runTestFile(file: string, { timeoutSeconds, graceMs = GRACE_MS }: Limits): Promise<FileResult> {
  const started = performance.now()
  const child = spawn(process.execPath, [...FLAGS, file], {
    env: { ...process.env, TAP: '1', TAP_CHILD_ID: '1', TAP_TIMEOUT: String(timeoutSeconds) },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const killIn = (ms: number): NodeJS.Timeout => setTimeout(() => child.kill('SIGKILL'), ms + graceMs)
  let killer = killIn(timeoutSeconds * 1000)
  child.on('message', ({ setTimeout: ms }: TapMessage) => {
    if (ms === undefined) return
    clearTimeout(killer)
    killer = killIn(ms === 0 ? timeoutSeconds * 1000 : ms)
  })
  const chunks: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk))
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  clearTimeout(killer)
  const seconds = (performance.now() - started) / 1000
  return { ok: code === 0, end: signal ?? code ?? 'unknown', output: Buffer.concat(chunks).toString(), seconds }
}
