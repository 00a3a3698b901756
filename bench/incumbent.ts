/**
 * A Python stand-in for the incumbent, the script that this project replaces and that cannot be run here. It was written
 * for these benchmarks and takes the same steps as the incumbent (bench/incumbent).
 */

import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT, startMetered, type Run } from './child.js'
import { spread, wallTimes, type Sample } from './measure.js'
import { atMost, seconds, type Verdict } from './report.js'

const SCRIPTS = join(ROOT, 'bench', 'incumbent')
const REQUIREMENTS = join(SCRIPTS, 'requirements.txt')
const CACHE = join(ROOT, '.cache', 'bench-incumbent')
const PYTHON = join(CACHE, 'venv', process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')
/** Marker file that records which packages are installed. */
const INSTALLED = join(CACHE, 'installed.txt')

/** The incumbent's own times in ms, measured by others on a similar machine. */
export const INCUMBENT_MS = {
  '300': 380,
  '300 far': 7_400,
  '2,000 far': 45_800,
  '14 x 2,000': 15_300,
  // Derived from the line above: 14 pushes of 2,000 rows, one after the other, are 28,000 rows.
  '20,000': (15_300 / 28_000) * 20_000,
  '14 x 100 far': 34_900,
  '500,000 over HTTP': 12_700,
} as const

type Measured = keyof typeof INCUMBENT_MS

export type Script = 'upsert_rows' | 'post_envelopes'
/** Runs a script until it exits. `args` are a file of records, a URL and a commit. */
export type Incumbent = (script: Script, args: readonly string[]) => Promise<Run>

/** @returns undefined, after printing the reason, when Python or its packages are not available */
export async function standIn(): Promise<Incumbent | undefined> {
  try {
    await install()
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).trim().split('\n').slice(-1)
    console.error(`the Python stand-in is not measured: it needs python3 with venv, and PyPI once (${reason.trim()})`)
    return undefined
  }
  return (script, args) => startMetered(PYTHON, [...flags, join(SCRIPTS, `${script}.py`), ...args]).ended
}

/** Bytecode is cached, as for a script that runs in every job, but outside the source folder. */
const flags = ['-X', `pycache_prefix=${join(CACHE, 'bytecode')}`, join(SCRIPTS, 'meter.py')]

async function install(): Promise<void> {
  const wanted = await readFile(REQUIREMENTS, 'utf8')
  if ((await readFile(INSTALLED, 'utf8').catch(() => undefined)) === wanted) return
  const run = promisify(execFile)
  await rm(CACHE, { recursive: true, force: true })
  await mkdir(CACHE, { recursive: true })
  await run('python3', ['-m', 'venv', join(CACHE, 'venv')])
  await run(PYTHON, ['-m', 'pip', 'install', '--quiet', '--requirement', REQUIREMENTS])
  await writeFile(INSTALLED, wanted)
}

/** Lists the stand-in's times beside the incumbent's, so that a reader can judge how faithful the stand-in is. */
export function besideIncumbent(measured: Partial<Record<Measured, readonly Sample[]>>): string {
  const pairs = Object.entries(measured).map(([what, samples]) => {
    const ms = INCUMBENT_MS[what as Measured]
    const own = samples.length === 0 ? 'not measured' : seconds(spread(wallTimes(samples)).median)
    return `${what}: ${own} (${seconds(ms)})`
  })
  return `The incumbent script cannot be run here. Beside us runs a Python stand-in for it, \`bench/incumbent\`; its times, and the incumbent's own on another machine like these: ${pairs.join(', ')}.`
}

/**
 * @param ours samples of the work named by `what`
 * @param factor required speed-up over the incumbent's own time
 */
export function byItsOwnTime(what: Measured, ours: readonly Sample[], factor: number): Verdict {
  return atMost(`${what}, by the incumbent's own time`, spread(wallTimes(ours)), INCUMBENT_MS[what] / factor, seconds)
}
