/** `npm run bench [-- NAME…] [--runs N] [--rows N] [--write]`: runs benchmarks one after the other and prints their figures. */

import { chmod, mkdtemp, realpath, rm, stat } from 'node:fs/promises'
import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Benchmark } from './benchmark.js'
import { cas } from './cas.js'
import { chart } from './chart.js'
import { meteredNode, ROOT } from './child.js'
import { changes } from './changes.js'
import { compare } from './compare.js'
import { copy } from './copy.js'
import { farPush } from './far-push.js'
import { growth } from './growth.js'
import { httpPush } from './http-push.js'
import { ids } from './ids.js'
import { judge } from './judge.js'
import { push } from './push.js'
import { repush } from './repush.js'
import { machine, render, writeToReadme } from './report.js'
import { scan } from './scan.js'
import { serve } from './serve.js'
import { smallPush } from './small-push.js'
import { state } from './state.js'
import { tune } from './tune.js'
import { validate } from './validate.js'

const BENCHMARKS: readonly Benchmark[] = [
  validate,
  scan,
  ids,
  smallPush,
  push,
  repush,
  growth,
  httpPush,
  serve,
  farPush,
  compare,
  copy,
  judge,
  changes,
  chart,
  cas,
  state,
  tune,
]
const FULL_ROWS = 500_000

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string' }, rows: { type: 'string' }, write: { type: 'boolean', default: false } },
})

const unknown = positionals.filter(name => !BENCHMARKS.some(benchmark => benchmark.name === name))
if (unknown.length > 0)
  throw new Error(`no benchmark ${unknown.join(', ')}; there are ${BENCHMARKS.map(({ name }) => name).join(', ')}`)
if (values.write && values.rows !== undefined) throw new Error('only full-sized runs are written to the README')
await assertBuilt()
for (const benchmark of BENCHMARKS)
  if (positionals.length === 0 || positionals.includes(benchmark.name)) await runOne(benchmark)

async function runOne({ name, runs: ownRuns, run }: Benchmark): Promise<void> {
  const runs = positive('runs', values.runs) ?? ownRuns
  const rows = positive('rows', values.rows) ?? FULL_ROWS
  console.error(name)
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'vortex-ingest-bench-'))
  // Postgres reads from the folder as another system user.
  await chmod(folder, 0o755)
  try {
    const result = await run({ runs, rows, folder, node: await meteredNode(folder) })
    const text = `${machine()}; ${runs} alternating runs\n\n${render(result)}`
    console.log(`\n## ${name}\n\n${text}`)
    if (values.write) await writeToReadme(name, text)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function positive(flag: string, text: string | undefined): number | undefined {
  if (text === undefined || /^[1-9]\d*$/.test(text)) return text === undefined ? undefined : Number(text)
  throw new Error(`--${flag} takes a positive integer, got ${text}`)
}

/** Fails unless the built program exists and is newer than the sources, because the benchmarks run the built program. */
async function assertBuilt(): Promise<void> {
  const built = await stat(join(ROOT, 'dist', 'main.cjs')).catch(() => undefined)
  if (built === undefined) throw new Error('there is no dist/: npm run build')
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  const times = await Promise.all(sources.map(name => stat(join(ROOT, 'src', name))))
  if (times.some(({ mtimeMs }) => mtimeMs > built.mtimeMs))
    console.error('warning: src/ is newer than dist/: npm run build')
}
