/** The cost of a state: pushes with a state in a folder compared with pushes without, also after a million enqueued records. */

import { appendFile, copyFile, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Benchmark, Context } from './benchmark.js'
import { BIN, type Run } from './child.js'
import { SETTINGS_NOTE, startDatabase } from './database.js'
import { startDiscard, type Discard } from './discard.js'
import { commitFile, recordsFile } from './inputs.js'
import { alternate, pairRatios, spread, wallTimes, type Sample } from './measure.js'
import { pushArguments } from './push.js'
import { atMost, count, seconds, type Result, type Series, type Verdict } from './report.js'

const FEW = 300
const BEFORE = 1_000_000

export const state: Benchmark = {
  name: 'state',
  runs: 5,
  async run(context) {
    const [beside, onTop] = [await besideNone(context), await onTopOfMuch(context)]
    return {
      notes: [...beside.notes, ...onTop.notes, SETTINGS_NOTE],
      series: [...beside.series, ...onTop.series],
      verdicts: [...beside.verdicts, ...onTop.verdicts],
    }
  },
}

/** Pushes new rows into Postgres, with an empty state and without a state. */
async function besideNone({ runs, rows, folder, node }: Context): Promise<Result> {
  const database = await startDatabase({ tls: false })
  const push = async (records: number, more: readonly string[]): Promise<Run> => {
    await database.reset()
    await rm(join(folder, 'state'), { recursive: true, force: true })
    return arrived(records, node([BIN, ...(await pushArguments(database, await recordsFile(records))), ...more]))
  }
  const withState = ['--state', join(folder, 'state')]
  try {
    const samples = await alternate(runs, {
      'push 300': () => push(FEW, []),
      'push 300, state': () => push(FEW, withState),
      'push 500,000': () => push(rows, []),
      'push 500,000, state': () => push(rows, withState),
    })
    return {
      notes: [
        `\`vortex-ingest push bench/.cache/{300,${rows}}.jsonl … --postgres … --state FOLDER\`, the whole process, with an empty state, against the same without \`--state\`.`,
      ],
      series: seriesOf(samples),
      verdicts: [
        ratio('with ÷ without state, 300', [samples['push 300, state'], samples['push 300']], 1.25),
        ratio(`with ÷ without state, ${count(rows)}`, [samples['push 500,000, state'], samples['push 500,000']], 1.25),
      ],
    }
  } finally {
    await database.stop()
  }
}

/** Pushes into a server that discards everything, so that no database time hides the cost of the state. */
async function onTopOfMuch({ runs, folder, node }: Context): Promise<Result> {
  const server = await startDiscard()
  const big = join(folder, 'big.jsonl')
  const few = await recordsFile(FEW)
  await copyFile(await recordsFile(BEFORE), big)
  const push = async (file: string, state: string, records: number): Promise<Run> =>
    arrived(records, node([BIN, ...(await toServer(server, file)), '--state', join(folder, state)]))
  const newFile = async (): Promise<string> => {
    const path = join(folder, `new-${turn++}.jsonl`)
    await copyFile(few, path)
    return path
  }
  let turn = 0
  const unheard = { connections: 0 }
  const sides = {
    'nothing new on top of 1,000,000': async () => {
      const before = server.connections()
      const run = await push(big, 'much', 0)
      unheard.connections += server.connections() - before
      return run
    },
    'a file of 300 on top of 1,000,000': async () => push(await newFile(), 'much', FEW),
    'a file of 300 into an empty state': async () => push(await newFile(), `empty-${turn}`, FEW),
    'a file of 1,000,000 that grew by 300': async () => {
      await appendFile(growing, await readFile(few))
      return push(growing, 'grown', FEW)
    },
  }
  const growing = join(folder, 'growing.jsonl')
  try {
    await copyFile(big, growing)
    // A file modified a moment ago is not recognised by its timestamps, so the benchmark waits.
    await new Promise(resolve => setTimeout(resolve, 3_000))
    await push(big, 'much', BEFORE)
    await push(growing, 'grown', BEFORE)
    const samples = await alternate(runs, sides)
    const nothing = samples['nothing new on top of 1,000,000']
    const [onTop, empty] = [samples['a file of 300 on top of 1,000,000'], samples['a file of 300 into an empty state']]
    return {
      notes: [
        'On top of 1,000,000 lines that were delivered before: the same file again, another file of 300 lines, and a file that grew, each to a server that counts and discards.',
        'A file that grew is read from its start: all of its bytes must be what was taken, or it was written anew.',
      ],
      series: seriesOf(samples),
      verdicts: [
        atMost('nothing new, whole process', spread(wallTimes(nothing)), 300, seconds),
        {
          what: 'connections made for it',
          seen: String(unheard.connections),
          mustReach: '0',
          reached: unheard.connections === 0,
        },
        ratio('300 on top of 1,000,000 ÷ into an empty state', [onTop, empty], 1.3),
      ],
    }
  } finally {
    await server.stop()
  }
}

async function toServer(server: Discard, file: string): Promise<readonly string[]> {
  return [
    'push',
    file,
    '--commit',
    await commitFile(),
    '--benchmark-id',
    'bench',
    '--server',
    server.url,
    '--format',
    'json',
  ]
}

/** Throws unless the push inserted all records, so that no figure is reported for work that was not done. */
async function arrived(records: number, running: Promise<Run>): Promise<Run> {
  const run = await running
  const report = JSON.parse(run.stdout) as { records: number; inserted: number }
  if (report.records !== records || report.inserted !== records) throw new Error(`unexpected report: ${run.stdout}`)
  return run
}

function seriesOf(samples: Readonly<Record<string, readonly Sample[]>>): readonly Series[] {
  return Object.entries(samples).map(([name, runs]) => ({ name, samples: runs }))
}

function ratio(what: string, [of, to]: readonly [readonly Sample[], readonly Sample[]], limit: number): Verdict {
  return atMost(what, pairRatios(wallTimes(of), wallTimes(to)), limit)
}
