/** Runs one process and measures its wall time, processor time and peak memory. */

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Sample } from './measure.js'

export const ROOT = fileURLToPath(new URL('..', import.meta.url))
export const BIN = 'bin/vortex-ingest.js'

/**
 * Only the process itself can read its peak memory: /proc/PID/status is gone once it has ended, and the maxrss of wait4
 * and resourceUsage starts at the peak of the process that spawned it. The process therefore writes its figures to
 * descriptor 3 when it exits. The script is loaded with --require, which takes less than a millisecond, because --import
 * would start the ESM loader earlier than usual.
 */
const METER = `
const fs = require('node:fs')
process.once('exit', () => {
  const { user, system } = process.cpuUsage()
  const status = process.platform === 'linux' ? fs.readFileSync('/proc/self/status', 'latin1') : ''
  const kibibytes = /VmHWM:\\s+(\\d+)/.exec(status)?.[1] ?? process.resourceUsage().maxRSS
  fs.writeSync(3, JSON.stringify({ cpuMs: (user + system) / 1000, rssMb: kibibytes * 1.024e-3 }))
})
`

export type Run = Required<Sample> & { readonly stdout: string }

export type Started = {
  /** The first line of standard output, as soon as it has been printed. */
  readonly firstLine: Promise<string>
  /** The measured run. Rejects unless the process exits with 0. */
  readonly ended: Promise<Run>
  readonly kill: (signal: NodeJS.Signals) => void
}

export type Node = {
  /** Runs `node ...args` until it exits. */
  (args: readonly string[], options?: SpawnOptions): Promise<Run>
  readonly start: (args: readonly string[], options?: SpawnOptions) => Started
}

type SpawnOptions = { readonly cwd?: string }

/** @param folder where the metering script is written */
export async function meteredNode(folder: string): Promise<Node> {
  const meter = join(folder, 'meter.cjs')
  await writeFile(meter, METER)
  const start: Node['start'] = (args, options) => startMetered(process.execPath, ['--require', meter, ...args], options)
  return Object.assign((...given: Parameters<Node['start']>) => start(...given).ended, { start })
}

/** @param command a program that writes its own figures to descriptor 3 when it exits */
export function startMetered(command: string, args: readonly string[], { cwd = ROOT }: SpawnOptions = {}): Started {
  const started = performance.now()
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] })
  const ended = runOf(child, [command, ...args].join(' '), started)
  return { firstLine: firstLineOf(child.stdout!, ended), ended, kill: signal => child.kill(signal) }
}

async function runOf(child: ChildProcess, line: string, started: number): Promise<Run> {
  const outputs = child.stdio.slice(1).map(stream => text(stream as Readable))
  const [code] = (await once(child, 'exit')) as [number | null]
  const wallMs = performance.now() - started
  const [stdout = '', stderr = '', measured = ''] = await Promise.all(outputs)
  if (code !== 0) throw new Error(`${line} ended with ${code}:\n${stderr}${stdout}`)
  return { wallMs, ...(JSON.parse(measured) as Pick<Run, 'cpuMs' | 'rssMb'>), stdout }
}

async function firstLineOf(stdout: Readable, ended: Promise<Run>): Promise<string> {
  const found = new Promise<string>(resolve => {
    let head = ''
    stdout.on('data', (chunk: Buffer) => {
      head += chunk.toString()
      if (head.includes('\n')) resolve(head.slice(0, head.indexOf('\n')))
    })
  })
  return Promise.race([found, ended.then(({ stdout }) => stdout)])
}

// A minimal environment: no variable of CI, git or Postgres may change the run, and NODE_EXTRA_CA_CERTS alone adds 60 ms.
const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], NO_COLOR: '1' }
