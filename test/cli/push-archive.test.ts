import t from 'tap'
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { runCli, type CliResult } from '../fixtures/cli.js'
import { schemaErrors } from './fixtures/schema.js'
import { jsonl, oneOfEach, query, SHA, writeCommit, writeLines } from '../fixtures/records.js'

function push(cwd: string, ...args: readonly string[]): Promise<CliResult> {
  return runCli(['push', '--commit', writeCommit(cwd), 'results.jsonl', ...args], { cwd })
}

/** Every object of an archive with its lines. */
async function archived(folder: string): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {}
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile()) found[relative(folder, path)] = gunzipSync(readFileSync(path)).toString()
  }
  return found
}

const nameOf = (table: string, since: number, until: number): string =>
  `${table}/${SHA}/${[since, until].map(number => String(number).padStart(16, '0')).join('-')}.jsonl.gz`

t.test('a push to an archive writes the new records and creates no database', async t => {
  const cwd = t.testdir({})
  writeLines(cwd, 'results.jsonl', oneOfEach())
  const first = await push(cwd, '--state', 'state', '--archive', 'archive', '--format', 'json')
  t.equal(first.code, 0, first.stderr)
  t.match(JSON.parse(first.stdout), { target: 'the archive in archive', records: 5, inserted: 5, updated: 0 })
  t.match(JSON.parse(first.stdout), { targets: [{ name: 'archive', required: true, status: 'delivered' }] })
  t.notOk(existsSync(join(cwd, '.vortex-ingest')))
  const more = jsonl([query({ dataset: 'later' })])
  appendFileSync(join(cwd, 'results.jsonl'), more)
  t.equal((await push(cwd, '--state', 'state', '--archive', 'archive')).code, 0)
  const objects = await archived(join(cwd, 'archive'))
  t.equal(Object.keys(objects).length, 6)
  t.equal(objects[nameOf('query_measurements', 5, 6)], more)
})

t.test('beside a database the database decides, unless --require says otherwise', async t => {
  const cwd = t.testdir({ archive: 'a file in the way' })
  writeLines(cwd, 'results.jsonl', oneOfEach())
  const both = ['--state', 'state', '--archive', 'archive', '--embedded', 'store', '--format', 'json']
  const first = await push(cwd, ...both)
  t.equal(first.code, 0, first.stderr)
  t.match(JSON.parse(first.stdout), {
    targets: [
      { name: 'embedded', required: true, failed: null },
      { name: 'archive', required: false },
    ],
  })
  const second = await push(cwd, ...both, '--require', 'archive')
  t.equal(second.code, 75, second.stderr)
})

t.test('the environment names it as the flag does', async t => {
  const cwd = t.testdir({})
  writeLines(cwd, 'results.jsonl', oneOfEach())
  const env = { VORTEX_INGEST_STATE: 'state', VORTEX_INGEST_ARCHIVE: 'archive' }
  const { code, stderr } = await runCli(['push', '--commit', writeCommit(cwd), 'results.jsonl'], { cwd, env })
  t.equal(code, 0, stderr)
  t.equal(Object.keys(await archived(join(cwd, 'archive'))).length, 5)
})

const MISTAKES: readonly [string, readonly string[], RegExp][] = [
  ['without a state', ['--archive', 'archive'], /--archive requires --state\nhint: give --state/],
  ['in the state', ['--state', 's', '--archive', 's/archive'], /same place, or one in the other/],
  ['in memory', ['--state', 's', '--archive', 'memory:'], /gone with the process/],
  ['that is no place', ['--state', 's', '--archive', 's4://b'], /unknown kind of storage s4:/],
  ['that decides and is not named', ['--state', 's', '--require', 'archive'], /no such target is given/],
]

for (const [name, args, says] of MISTAKES)
  t.test(`an archive ${name} is a usage error`, async t => {
    const cwd = t.testdir({})
    writeLines(cwd, 'results.jsonl', oneOfEach())
    const { code, stderr } = await push(cwd, ...args)
    t.equal(code, 2)
    t.match(stderr, says)
  })

t.test('doctor looks at it and makes nothing', async t => {
  const cwd = t.testdir({})
  const args = ['doctor', '--state', 'state', '--archive', 'archive', '--format', 'json']
  const { code, stdout } = await runCli(args, { cwd })
  t.equal(code, 0, stdout)
  t.same(schemaErrors('doctor-report', stdout), [])
  const { groups } = JSON.parse(stdout) as { groups: readonly { name: string }[] }
  t.same(
    groups.map(({ name }) => name),
    ['program', 'configuration', 'archive'],
  )
  t.notOk(existsSync(join(cwd, 'archive')))
  t.equal((await runCli(['doctor', '--archive', 'archive'], { cwd })).code, 78)
})
