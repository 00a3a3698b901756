/**
 * Adding a contract version is one entry of data and one migration, as CONTRIBUTING says. The test adds a toy version 4 to
 * a copy of the sources, builds the copy, and takes a file of that version through the program.
 */

import { execFileSync } from 'node:child_process'
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { jsHash64 } from '../../src/contract/hash64.js'
import { runCli, startCli, untilDone, type CliResult } from '../fixtures/cli.js'
import { line, SHA } from '../fixtures/records.js'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** One new field, and one conditional dimension. */
const ENTRY = `
const VERSION_4 = addFields(VERSION_3, [
  {
    kind: 'vector_search_run',
    after: 'iterations',
    field: field('index_bytes', 'i64', { description: 'Size of the index.', unit: 'bytes' }),
  },
  {
    kind: 'compression_time',
    after: 'op',
    field: { ...dimension('level', 'Compression level.'), conditional: 'default' },
    oneOf: ['default', 'best'],
  },
])
`

const MIGRATION = `
ALTER TABLE vector_search_runs ADD COLUMN IF NOT EXISTS index_bytes bigint;
ALTER TABLE compression_times ADD COLUMN IF NOT EXISTS level text NOT NULL DEFAULT 'default';
`

const search = line('vector_search_run', { index_bytes: '9007199254740993' })
const time = (level: string | undefined): string =>
  line('compression_time', { level: level === undefined ? undefined : `"${level}"` })

const COMMIT = {
  ...{ sha: SHA, timestamp: '2026-04-25T11:02:33Z', message: 'm', tree_sha: SHA, url: 'https://example.com/c' },
  ...{ author_name: 'A', author_email: 'a@example.com', committer_name: 'A', committer_email: 'a@example.com' },
}

const cwd = t.testdir({
  'v4.jsonl': [search, time('default'), time('best')].join('\n'),
  'v3.jsonl': [line('vector_search_run'), time(undefined)].join('\n'),
  'commit.json': JSON.stringify(COMMIT),
})
const bin = buildCopy(t.testdirName)

const run = (...args: readonly string[]): Promise<CliResult> => runCli(args, { cwd, bin, timeoutMs: 120_000 })
const push = (file: string, ...target: readonly string[]): Promise<CliResult> =>
  run('push', file, '--commit', 'commit.json', '--benchmark-id', 'toy', ...target)

t.test('validate knows the version and still knows the one before', async t => {
  t.match((await run('validate', 'v4.jsonl')).stdout, /contract version 4\n/)
  t.match((await run('validate', 'v3.jsonl')).stdout, /contract version 1\n/)
  const pinned = await run('validate', 'v4.jsonl', '--contract', '3')
  t.equal(pinned.code, 65)
  t.match(pinned.stdout, /index_bytes.*before contract version 4/)
})

t.test('the new dimension is hashed only when it is not its default', async t => {
  const ids = (file: string): Promise<readonly string[]> =>
    run('id', file).then(({ stdout }) => stdout.trim().split('\n'))
  const [searchId, defaultId, bestId] = await ids('v4.jsonl')
  t.strictSame(await ids('v3.jsonl'), [searchId, defaultId], 'rows from before keep their ids')
  t.equal(bestId, await idWithLevel('best'))
})

t.test('a file of version 4 goes into the embedded database and is read back', async t => {
  const target = ['--embedded', 'db']
  t.match(await push('v3.jsonl', ...target), { code: 0, stdout: /2 inserted/ })
  t.match(await push('v4.jsonl', ...target), { code: 0, stdout: /1 inserted, 2 updated/ })
  t.match(await run('verify', 'v4.jsonl', ...target), { code: 0, stdout: /verified: 3 measurements/ })
})

t.test('serve takes version 4 and, asked for it, only version 3', async t => {
  for (const [args, wanted] of [
    [[], { code: 0, stdout: /3 inserted/ }],
    [['--contract', '3'], { code: 78, stderr: /is at contract version 3 but the records are of version 4/ }],
  ] as const) {
    const name = `served${args.length}`
    const serving = startCli(['serve', '--listen', '0', '--insecure-no-auth', '--store', name, ...args], {
      cwd,
      bin,
    })
    let printed = ''
    serving.child.stdout?.on('data', (chunk: Buffer) => (printed += chunk.toString()))
    await untilDone(serving, () => printed.includes('\n'))
    const url = /http:\/\/[^\s"]+/.exec(printed)?.[0] ?? ''
    t.match(await push('v4.jsonl', '--server', url), wanted)
    const health = (await (await fetch(`${url}/health`)).json()) as { readonly schema_version: number }
    t.equal(health.schema_version, args.length === 0 ? 4 : 3)
    if (args.length === 0) t.match(await run('verify', 'v4.jsonl', '--server', url), { code: 0 })
    serving.child.kill('SIGTERM')
    await serving.result
  }
})

/** @returns the program of a copy of this checkout that speaks version 4 */
function buildCopy(parent: string): string {
  const copy = join(parent, 'copy')
  for (const name of ['bin', 'src', 'scripts', 'schemas', 'package.json', 'tsconfig.json'])
    cpSync(join(ROOT, name), join(copy, name), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
  const file = join(copy, 'src/contract/versions.ts')
  const versions = readFileSync(file, 'utf8')
    .replace('SCHEMA_VERSION = 3', 'SCHEMA_VERSION = 4')
    .replace('export const VERSIONS', `${ENTRY}\nexport const VERSIONS`)
    .replace('[VERSION_1, VERSION_2, VERSION_3]', '[VERSION_1, VERSION_2, VERSION_3, VERSION_4]')
  writeFileSync(file, versions)
  writeFileSync(join(copy, 'src/database/migrations/999_version_4.sql'), MIGRATION)
  execFileSync(process.execPath, ['--import', 'tsx', 'scripts/build.ts'], { cwd: copy, stdio: 'pipe' })
  return join(copy, 'bin/vortex-ingest.js')
}

/** The id by hand, over the bytes of contract section 6. */
async function idWithLevel(level: string): Promise<string> {
  const text = (value: string): Buffer => {
    const length = Buffer.alloc(8)
    length.writeUInt32LE(Buffer.byteLength(value))
    return Buffer.concat([length, Buffer.from(value)])
  }
  const fields = [SHA, 'taxi'].map(text)
  const variant = [Buffer.from([1]), text('full')]
  const rest = ['vortex', 'encode', level].map(text)
  const bytes = Buffer.concat([Buffer.from('compression_times\0'), ...fields, ...variant, ...rest])
  return BigInt.asIntN(64, (await jsHash64())(bytes)).toString()
}
