/** Compare-and-swap in a folder with eight contending processes: successful writes per second and share of conflicts. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openStorage } from '../src/storage/open-storage.js'
import type { Benchmark } from './benchmark.js'
import { alternate, type Sample } from './measure.js'
import { count } from './report.js'

const OPERATIONS = 10_000
const PROCESSES = 8
const WRITER = fileURLToPath(new URL('cas-writer.ts', import.meta.url))

type Counted = Sample & { readonly lost: number; readonly missing: number }

export const cas: Benchmark = {
  name: 'cas',
  runs: 3,
  async run({ runs, folder }) {
    const counted = new Map<number, Counted[]>()
    const side = (processes: number) => async (): Promise<Counted> => {
      const run = await countTogether(await mkdtemp(join(folder, 'cas-')), processes)
      counted.set(processes, [...(counted.get(processes) ?? []), run])
      return run
    }
    const samples = await alternate(runs, { alone: side(1), together: side(PROCESSES) })
    const together = counted.get(PROCESSES) ?? []
    const missing = [...counted.values()].flat().reduce((all, run) => all + run.missing, 0)
    const amount = { count: OPERATIONS, unit: 'operations' }
    return {
      notes: [
        `${count(OPERATIONS)} increments of one number by \`putIfMatch\` in a folder, each durable before it returns (two fsyncs); the processes start at the same moment.`,
        `Attempts that lost with ${PROCESSES} processes, over all of them: ${together.map(({ lost }) => count(lost)).join(', ')}. Each reads the number again and tries once more.`,
      ],
      series: [
        { name: '1 process', samples: samples.alone, amount },
        { name: `${PROCESSES} processes`, samples: samples.together, amount },
      ],
      verdicts: [
        { what: `lost updates of ${count(OPERATIONS)}`, seen: count(missing), mustReach: '0', reached: missing === 0 },
      ],
    }
  },
}

async function countTogether(folder: string, processes: number): Promise<Counted> {
  const storage = await openStorage({ kind: 'local', folder })
  await storage.put('counter', Buffer.from('0'))
  const writers = await Promise.all(
    Array.from({ length: processes }, () => startWriter(folder, OPERATIONS / processes)),
  )
  const started = performance.now()
  const lost = await Promise.all(writers.map(go => go()))
  const wallMs = performance.now() - started
  const missing = OPERATIONS - Number(await storage.get('counter'))
  return { wallMs, lost: lost.reduce((all, times) => all + times), missing }
}

/** @returns a function that starts the writer's work and resolves with its number of conflicts */
async function startWriter(folder: string, times: number): Promise<() => Promise<number>> {
  const child = spawn(process.execPath, ['--import', 'tsx', WRITER, folder, String(times)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface(child.stdout)
  await once(lines, 'line')
  return async () => {
    child.stdin.end('\n')
    const [lost] = (await once(lines, 'line')) as [string]
    return Number(lost)
  }
}
