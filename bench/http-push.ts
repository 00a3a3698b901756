/** A push over HTTP to a server that reads the records and discards them. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Benchmark } from './benchmark.js'
import { BIN, type Run } from './child.js'
import { startDiscard } from './discard.js'
import { besideIncumbent, byItsOwnTime, standIn } from './incumbent.js'
import { commitFile, recordsFile } from './inputs.js'
import { alternate, pairRatios, wallTimes, type Sample, type Sides } from './measure.js'
import { bundled } from './programs.js'
import { atLeast, count, rssBelow } from './report.js'

/** Required speed-up over the incumbent. */
const FACTOR = 8

export const httpPush: Benchmark = {
  name: 'http-push',
  runs: 7,
  async run({ runs, rows, folder, node }) {
    const input = await recordsFile(rows)
    const commit = await commitFile()
    const script = await bundled('baseline-http', folder)
    const python = await standIn()
    const server = await startDiscard()
    const all = async (run: Promise<Run>): Promise<Run> => {
      const { inserted } = JSON.parse((await run).stdout) as { inserted: number }
      if (inserted !== rows) throw new Error(`${inserted} of ${rows} records arrived`)
      return run
    }
    const push = [BIN, 'push', input, '--commit', commit, '--benchmark-id', 'bench', '--format', 'json']
    try {
      const sides: Sides<string> = {
        push: () => all(node([...push, '--server', server.url])),
        'push --compress': () => all(node([...push, '--server', server.url, '--compress'])),
        'plain script': () => all(node([script, input, server.url, commit])),
        'Python stand-in': python && (() => all(python('post_envelopes', [input, server.url, commit]))),
        'curl alone': () => curl(input, server.url),
      }
      const samples = await alternate(runs, sides)
      const of = (name: string): readonly Sample[] => samples[name] ?? []
      return {
        notes: [
          `\`vortex-ingest push bench/.cache/${rows}.jsonl --server http://127.0.0.1:…\` (${count(rows)} records), the whole process, validation included; the server reads, counts and discards.`,
          `Beside it \`bench/baseline-http.ts\`, a plain script that parses each line and posts envelopes with \`fetch\`, without validation.`,
          besideIncumbent({ '500,000 over HTTP': of('Python stand-in') }) + ' Nor does it validate.',
          'Limit: curl uploading the file as it is.',
        ],
        series: Object.keys(sides).map(name => ({
          name,
          samples: of(name),
          amount: { count: rows, unit: 'records' },
        })),
        verdicts: [
          atLeast('stand-in ÷ push', pairRatios(wallTimes(of('Python stand-in')), wallTimes(of('push'))), FACTOR),
          byItsOwnTime('500,000 over HTTP', of('push'), FACTOR),
          atLeast('plain script ÷ push', pairRatios(wallTimes(of('plain script')), wallTimes(of('push'))), 1),
          rssBelow('push', of('push'), 110),
        ],
      }
    } finally {
      await server.stop()
    }
  },
}

async function curl(file: string, url: string): Promise<Sample> {
  const started = performance.now()
  const child = spawn('curl', ['-sS', '-o', '/dev/null', '-H', 'Expect:', '--data-binary', `@${file}`, url], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`curl ended with ${code}`)
  return { wallMs: performance.now() - started }
}
