import t from 'tap'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectFile, runCli } from '../fixtures/cli.js'
import { readSharedFixture } from '../fixtures/shared.js'

t.test('both implementations give every golden id, and every place states one version', async t => {
  const { code, stdout } = await runCli(['golden-check'])
  t.equal(code, 0)
  t.match(
    stdout,
    /^ok: xxhash-wasm: all 2,242 vectors of golden\/measurement-id\.json\nok: xxhashjs: all 2,242 vectors/,
  )
  t.match(stdout, /ok: schema version 1 in 5 places/)
})

t.test('the published vectors of the reference match', async t => {
  const text = await readSharedFixture(t, 'contract/golden-upstream.json')
  if (text === undefined) return
  writeFileSync(join(t.testdir(), 'theirs.json'), text)
  const { code, stdout } = await runCli(['golden-check', '--vectors', 'theirs.json'], { cwd: t.testdirName })
  t.equal(code, 0, stdout)
  t.match(stdout, /ok: xxhash-wasm: all 63 vectors of theirs\.json/)
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
    /mismatch: xxhash-wasm: 1 of 2,242 vectors differ of wrong\.json\n {2}vector \d+ \(\w+\): expected -?\d+, got -?\d+/,
  )
  t.match(stdout, /mismatch: xxhashjs: 1 of 2,242 vectors/)
})

t.test('a file that is no vector file is told so', async t => {
  const cwd = t.testdir({
    'text.json': 'hello',
    'empty.json': '{"seed":0,"vectors":[]}',
    'seed.json': '{"seed":1,"vectors":[]}',
    'table.json': '{"seed":0,"vectors":[{"table":"x","fields":{},"measurement_id":1}]}',
  })
  const check = async (file: string): Promise<readonly [number | null, string]> => {
    const { code, stderr } = await runCli(['golden-check', '--vectors', file], { cwd })
    return [code, stderr]
  }
  t.match(await check('text.json'), [65, /text\.json is not JSON/])
  t.match(await check('empty.json'), [65, /holds no vectors, so it proves nothing/])
  t.match(await check('seed.json'), [65, /another seed than 0/])
  t.match(await check('table.json'), [65, /\/vectors\/0 names no table of the contract/])
  t.match(await check('none.json'), [66, /none\.json: no such file/])
})
