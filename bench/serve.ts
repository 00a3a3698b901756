/** The reference server: a small push, many concurrent pushes, and a large envelope. */

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Benchmark, Context } from './benchmark.js'
import { BIN, type Run } from './child.js'
import { SETTINGS_NOTE, startDatabase } from './database.js'
import { commitFile, recordsFile } from './inputs.js'
import { envelopeOf, postTogether } from './post-together.js'
import { alternate, pairRatios, spread, wallTimes, type Sample } from './measure.js'
import { pushRun } from './push.js'
import { atLeast, atMost, rssBelow, seconds, type Verdict } from './report.js'

const FEW = 300
const CLIENTS = 14
const EACH = 2_000
const ENVELOPE_BYTES = 60 * 1024 * 1024

export const serve: Benchmark = {
  name: 'serve',
  runs: 7,
  async run({ runs, folder, node }) {
    const few = await recordsFile(FEW)
    const all = await recordsFile(CLIENTS * EACH)
    const parts = await split(all, folder)
    const envelopes = await Promise.all(parts.map(envelopeOf))
    const large = await firstBytes(await recordsFile(500_000), folder)
    const commit = await commitFile()
    const push = (file: string, url: string): Promise<Run> =>
      node([BIN, 'push', file, '--server', url, '--commit', commit, '--benchmark-id', 'bench', '--format', 'json'])
    const database = await startDatabase({ tls: false })
    const servers: Run[] = []
    let folders = 0
    /** Runs `work` against a server with an empty store. `onEnd` gets the measurements of the server process. */
    const embedded = async (work: (url: string) => Promise<Sample>, onEnd?: (run: Run) => void): Promise<Sample> => {
      const store = join(folder, `store-${folders++}`)
      await mkdir(store)
      return serving(node, ['--store', store], work, onEnd)
    }
    /** The database is created before the measured push, because a server's database exists already, too. */
    const pathBEmbedded = async (): Promise<Sample> => {
      const store = join(folder, `store-${folders++}`)
      await node([BIN, 'migrate', '--embedded', store])
      const run = await node([BIN, 'push', all, '--embedded', store, '--commit', commit, '--format', 'json'])
      assertInserted([run])
      return run
    }
    const intoPostgres = async (work: (url: string) => Promise<Sample>): Promise<Sample> => {
      await database.reset()
      return serving(node, ['--store', database.url, '--insecure-local'], work)
    }
    try {
      const sides: Record<string, () => Promise<Sample>> = {
        'push 300 to serve, embedded': () => embedded(url => push(few, url)),
        [EMBEDDED]: () => embedded(url => timed(() => parts.map(part => push(part, url)))),
        'path B push of the same rows, embedded': pathBEmbedded,
        [PROCESSES]: () => intoPostgres(url => timed(() => parts.map(part => push(part, url)))),
        [STARTS]: () =>
          timed(
            () => parts.map(() => node([BIN, '--version'])),
            () => undefined,
          ),
        [ENVELOPES]: () => intoPostgres(url => postTogether(url, envelopes, CLIENTS * EACH)),
        'path B push of the same rows, Postgres': () => pushRun({ database, node, input: all, rows: CLIENTS * EACH }),
        [LARGE]: () =>
          embedded(
            url => push(large, url),
            run => servers.push(run),
          ),
      }
      const samples = await alternate(runs, sides)
      const of = (name: string): readonly Sample[] => samples[name] ?? []
      const ofOnePush = (what: string, many: string, store: string): Verdict =>
        atLeast(what, pairRatios(wallTimes(of(`path B push of the same rows, ${store}`)), wallTimes(of(many))), 0.6)
      return {
        notes: [
          `\`vortex-ingest push … --server\` to \`vortex-ingest serve\` on the same machine: ${FEW} records into the embedded database; ${CLIENTS} processes at once with ${EACH} records each, from the start of the first to the end of the last; one envelope of 60 MiB into the embedded database.`,
          `The same ${CLIENTS} envelopes are also posted to a server on Postgres at once by one process that is there already, from the first byte to the last answer: that times the server, and not the start-up of ${CLIENTS} clients on the same cores. Limit of the processes: ${CLIENTS} starts at once that do nothing.`,
          'Beside the many: one path B push of the same rows, the whole process, into the same Postgres or into an embedded database that is there already.',
          SETTINGS_NOTE,
        ],
        series: [
          ...Object.keys(sides).map(name => ({ name, samples: of(name) })),
          { name: 'serve during the envelope of 60 MiB', samples: servers },
        ],
        verdicts: [
          atMost('push 300 to serve', spread(wallTimes(of('push 300 to serve, embedded'))), 250, seconds),
          ofOnePush(`rows/s, ${CLIENTS} processes to serve ÷ one path B push, embedded`, EMBEDDED, 'embedded'),
          ofOnePush(`rows/s, ${CLIENTS} envelopes to serve ÷ one path B push, Postgres`, ENVELOPES, 'Postgres'),
          ofOnePush(`the same with ${CLIENTS} processes, their start-up included`, PROCESSES, 'Postgres'),
          rssBelow('serve during the envelope', servers, 400),
        ],
      }
    } finally {
      await database.stop()
    }
  },
}

const EMBEDDED = `${CLIENTS} processes at once push ${EACH} each to serve, embedded`
const PROCESSES = `${CLIENTS} processes at once push ${EACH} each to serve, Postgres`
const STARTS = `${CLIENTS} starts at once that do nothing (--version)`
const ENVELOPES = `${CLIENTS} envelopes of ${EACH} at once to serve, Postgres`
const LARGE = 'push of 60 MiB to serve, embedded'

/**
 * @param onEnd called with the measurements of the server process
 * @returns the sample that `work` measured
 */
async function serving(
  node: Context['node'],
  args: readonly string[],
  work: (url: string) => Promise<Sample>,
  onEnd: (run: Run) => void = () => undefined,
): Promise<Sample> {
  // The generated records are of contract version 1.
  const server = node.start([BIN, 'serve', '--contract', '1', '--insecure-no-auth', '--format', 'json', ...args])
  try {
    const { url } = JSON.parse(await server.firstLine) as { url: string }
    return await work(url)
  } finally {
    server.kill('SIGTERM')
    onEnd(await server.ended)
  }
}

/** @param check throws when the reports of the runs are not as expected */
async function timed(start: () => readonly Promise<Run>[], check = assertInserted): Promise<Sample> {
  const started = performance.now()
  const ended = await Promise.all(start())
  const wallMs = performance.now() - started
  check(ended)
  return { wallMs }
}

function assertInserted(runs: readonly Run[]): void {
  const reports = runs.map(({ stdout }) => JSON.parse(stdout) as { inserted: number })
  const inserted = reports.reduce((sum, report) => sum + report.inserted, 0)
  if (inserted !== CLIENTS * EACH) throw new Error(`${inserted} rows were inserted instead of ${CLIENTS * EACH}`)
}

async function split(file: string, folder: string): Promise<readonly string[]> {
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n')
  const paths = Array.from({ length: CLIENTS }, (_, part) => join(folder, `part-${part}.jsonl`))
  for (const [part, path] of paths.entries())
    await writeFile(path, `${lines.slice(part * EACH, (part + 1) * EACH).join('\n')}\n`)
  return paths
}

/** Writes the first lines of a file that fit in one envelope of the maximum size. */
async function firstBytes(file: string, folder: string): Promise<string> {
  const bytes = await readFile(file)
  const path = join(folder, 'envelope.jsonl')
  await writeFile(path, bytes.subarray(0, bytes.lastIndexOf('\n', ENVELOPE_BYTES - 4096) + 1))
  return path
}
