/** `export --from-archive`: the newest record of each measurement, from a folder and from S3. */

import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runCli, type CliResult } from '../fixtures/cli.js'
import { AWS_ENVIRONMENT, findMoto, NO_MOTO, startMoto } from '../fixtures/moto.js'
import { jsonl, oneOfEach, query, SHA, writeCommit } from '../fixtures/records.js'

const python = await findMoto()
const moto = python === undefined ? undefined : await startMoto(t, python)

function run(cwd: string, ...args: readonly string[]): Promise<CliResult> {
  return runCli(args, { cwd, env: AWS_ENVIRONMENT })
}

/** Pushes a measurement three times, the last time with --full-refresh, and all kinds of records. */
async function fillArchive(cwd: string, archive: string): Promise<string> {
  const push = async (...more: readonly string[]): Promise<void> => {
    const args = ['f.jsonl', '--commit', writeCommit(cwd), '--state', 'state', '--archive', archive]
    const { code, stderr } = await run(cwd, 'push', ...args, ...more)
    if (code !== 0) throw new Error(stderr)
  }
  const [one, two, three] = [101, 102, 103].map(value_ns => query({ dataset: 'again', value_ns }))
  writeFileSync(join(cwd, 'f.jsonl'), jsonl([one!, ...oneOfEach()]))
  await push()
  appendFileSync(join(cwd, 'f.jsonl'), jsonl([two!]))
  await push()
  appendFileSync(join(cwd, 'f.jsonl'), jsonl([three!]))
  await push('--full-refresh')
  return three!
}

const PLACES: readonly (readonly [string, string | false, () => Promise<string>])[] = [
  ['a folder', false, async () => 'archive'],
  [
    'S3',
    moto === undefined ? NO_MOTO : false,
    async () =>
      `s3://${await moto!.createBucket()}/archive?endpoint=${moto!.endpoint}&path-style=true&region=us-east-1`,
  ],
]

for (const [name, skip, place] of PLACES)
  t.test(`an archive in ${name} gives each measurement once, with the value of the last push`, { skip }, async t => {
    const [cwd, archive] = [t.testdir({}), await place()]
    const newest = await fillArchive(cwd, archive)
    const { code, stdout, stderr } = await run(cwd, 'export', '--from-archive', archive)
    t.equal(code, 0, stderr)
    const lines = stdout.split('\n').slice(0, -1)
    t.equal(lines.length, 6)
    t.ok(lines.includes(newest))
    writeFileSync(join(cwd, 'back.jsonl'), stdout)
    const [ids, before] = [await run(cwd, 'id', 'back.jsonl'), await run(cwd, 'id', 'f.jsonl')]
    t.strictSame(new Set(ids.stdout.split('\n')), new Set(before.stdout.split('\n')), 'with identical ids')
    const again = await run(cwd, 'export', '--from-archive', archive, '--commit', SHA, '--output', 'out.jsonl')
    t.match(again, { code: 0, stdout: 'exported 6 records to out.jsonl\n' })
    t.equal(readFileSync(join(cwd, 'out.jsonl'), 'utf8'), stdout)
  })

t.test('a failure leaves the output file as it was, and names the object', async t => {
  const cwd = t.testdir({ 'out.jsonl': 'before' })
  await fillArchive(cwd, 'archive')
  const folder = join(cwd, 'archive', 'vector_search_runs', SHA)
  const [object] = readdirSync(folder)
  writeFileSync(join(folder, object!), readFileSync(join(folder, object!)).subarray(0, -5))
  const { code, stderr } = await run(cwd, 'export', '--from-archive', 'archive', '--output', 'out.jsonl')
  t.equal(code, 65, stderr)
  t.match(stderr, new RegExp(`^error: vector_search_runs/${SHA}/${object} in .*archive: gzip data is damaged`))
  t.equal(readFileSync(join(cwd, 'out.jsonl'), 'utf8'), 'before')
  t.strictSame(
    readdirSync(cwd).filter(entry => entry.includes('out')),
    ['out.jsonl'],
  )
})

t.test('a place without records, and wrong flags, are clear errors', async t => {
  const cwd = t.testdir({ archive: {} })
  for (const [args, code, message] of [
    [[], 78, /^error: there is no embedded database in .vortex-ingest/],
    [['--from-archive', 'archive', '--since', '30d'], 2, /an archive does not hold the times of commits/],
    [['--from-archive', 'archive', '--embedded', 'store'], 2, /are two sources\nhint: give one of them/],
    [['--from-archive', 'archive', '--group', 'tpch'], 2, /--group tpch is not the name of a group/],
    [['--from-archive', 'archive', '--commit', 'main'], 2, /--commit main is not a full commit id/],
    [['--from-archive', 'archive'], 66, /there are no records in archive/],
    [['--from-archive', 'nowhere', '--commit', SHA], 66, /no records of 0123456\S+ in nowhere/],
    [['--from-archive', 'archive', '--format', 'xml'], 2, /Allowed choices are jsonl, csv, parquet/],
    [
      ['--from-archive', 'archive', '--format', 'csv'],
      2,
      /a file for each kind of record\S* which standard output cannot take/,
    ],
    [['--from-archive', 'archive', '--output', 'no/where'], 78, /cannot write the records no\/where/],
  ] as const) {
    const { code: got, stderr } = await run(cwd, 'export', ...args)
    t.equal(got, code, stderr)
    t.match(stderr, message)
  }
})
