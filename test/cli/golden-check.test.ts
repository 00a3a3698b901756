import t from 'tap'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectFile, runCli } from '../fixtures/cli.js'
import { readSharedFixture } from '../fixtures/shared.js'

const VERSIONS = [
  [1, 2_242, 'golden/measurement-id.json'],
  [2, 543, 'golden/measurement-id-v2.json'],
  [3, 1_444, 'golden/measurement-id-v3.json'],
] as const

type JsonReport = {
  readonly files: readonly {
    readonly file: string
    readonly contract_version: number
    readonly vectors: number
    readonly checks: readonly { readonly implementation: string; readonly mismatched: number }[]
  }[]
  readonly anchors: { readonly checked: readonly string[]; readonly broken: readonly string[] }
}

t.test('both implementations give every golden id of every version, and every place states its version', async t => {
  const { code, stdout } = await runCli(['golden-check'])
  t.equal(code, 0)
  for (const [version, count, file] of VERSIONS) {
    for (const implementation of ['xxhash-wasm', 'xxhashjs'])
      t.match(
        stdout,
        `ok: contract version ${version}, ${implementation}: all ${count.toLocaleString('en')} vectors of ${file}\n`,
      )
    t.match(stdout, new RegExp(`^ok: contract version ${version} in \\d places: .*${file}`, 'm'))
  }
  t.equal(stdout.trimEnd().split('\n').length, 3 * VERSIONS.length)
})

t.test('the JSON report has the count of vectors of each version', async t => {
  const { code, stdout } = await runCli(['golden-check', '--format', 'json'])
  t.equal(code, 0)
  const { files, anchors } = JSON.parse(stdout) as JsonReport
  t.strictSame(
    files.map(file => [file.contract_version, file.vectors, file.file]),
    VERSIONS,
  )
  for (const { checks } of files)
    t.strictSame(
      checks.map(check => [check.implementation, check.mismatched]),
      [
        ['xxhash-wasm', 0],
        ['xxhashjs', 0],
      ],
    )
  for (const [, , file] of VERSIONS) t.ok(anchors.checked.includes(file), file)
  t.strictSame(anchors.broken, [])
})

t.test('vectors of version 3 that are said to be of version 1 end in exit code 4', async t => {
  const text = readFileSync(projectFile('golden/measurement-id-v3.json'), 'utf8')
  writeFileSync(join(t.testdir(), 'old.json'), text.replace('"contract_version":3', '"contract_version":1'))
  const { code, stdout } = await runCli(['golden-check', '--vectors', 'old.json'], { cwd: t.testdirName })
  t.equal(code, 4)
  t.match(stdout, /mismatch: contract version 1, xxhash-wasm: \d+ of 1,444 vectors differ of old\.json\n/)
})

t.test('the published vectors of the reference match', async t => {
  const text = await readSharedFixture(t, 'contract/golden-upstream.json')
  if (text === undefined) return
  writeFileSync(join(t.testdir(), 'theirs.json'), text)
  const { code, stdout } = await runCli(['golden-check', '--vectors', 'theirs.json'], { cwd: t.testdirName })
  t.equal(code, 0, stdout)
  t.match(stdout, /ok: contract version 3, xxhash-wasm: all 63 vectors of theirs\.json/)
})

t.test('an id that is off by one ends in exit code 4 and is shown with both values', async t => {
  const [head = '', ...lines] = readFileSync(projectFile('golden/measurement-id.json'), 'utf8').split('\n')
  const changed = lines.map((line, index) =>
    index === 3
      ? line.replace(/"measurement_id":\s*(-?\d+)/, (_, id: string) => `"measurement_id":${BigInt(id) + 1n}`)
      : line,
  )
  writeFileSync(join(t.testdir(), 'wrong.json'), [head, ...changed].join('\n'))
  const { code, stdout } = await runCli(['golden-check', '--vectors', 'wrong.json'], { cwd: t.testdirName })
  t.equal(code, 4)
  t.match(
    stdout,
    /mismatch: contract version 1, xxhash-wasm: 1 of 2,242 vectors differ of wrong\.json\n {2}vector \d+ \(\w+\): expected -?\d+, got -?\d+/,
  )
  t.match(stdout, /mismatch: contract version 1, xxhashjs: 1 of 2,242 vectors/)
})

t.test('a file that is not a vector file is reported as such', async t => {
  const cwd = t.testdir({
    'text.json': 'hello',
    'empty.json': '{"seed":0,"vectors":[]}',
    'seed.json': '{"seed":1,"vectors":[]}',
    'version.json': '{"contract_version":99,"seed":0,"vectors":[]}',
    'table.json': '{"seed":0,"vectors":[{"table":"x","fields":{},"measurement_id":1}]}',
  })
  const check = async (file: string): Promise<readonly [number | null, string]> => {
    const { code, stderr } = await runCli(['golden-check', '--vectors', file], { cwd })
    return [code, stderr]
  }
  t.match(await check('text.json'), [65, /text\.json is not JSON/])
  t.match(await check('empty.json'), [65, /holds no vectors, so it proves nothing/])
  t.match(await check('seed.json'), [65, /another seed than 0/])
  t.match(await check('version.json'), [65, /a "contract_version" that is none of 1, 2, 3: 99/])
  t.match(await check('table.json'), [65, /\/vectors\/0 names no table of the contract/])
  t.match(await check('none.json'), [66, /none\.json: no such file/])
})
