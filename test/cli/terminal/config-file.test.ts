import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { parse } from 'smol-toml'
import t from 'tap'
import { projectFile, runCli, startCli } from '../../fixtures/cli.js'
import { query } from '../../fixtures/records.js'

type Doctored = { groups: { name: string; lines: { check: string; fact: string }[] }[] }

const TOML = `
state = "from-all"
retries = 3

[command.push]
state = "from-push"

[profile.nightly]
state = "from-nightly"

[profile.nightly.command.push]
state = "from-nightly-push"
`

/** A repository of its own, so that nothing above it is looked at. */
function repository(files: Record<string, string>): Record<string, string | Record<string, never>> {
  return { '.git': {}, 'good.jsonl': query(), ...files }
}

t.test('a flag beats a variable, that beats the file, and in the file the narrower part wins', async t => {
  const cwd = t.testdir(repository({ 'vortex-ingest.toml': TOML }))
  const stateOf = async (args: readonly string[], env = {}): Promise<string | undefined> => {
    const { stderr } = await runCli(['-v', ...args], { cwd, env })
    return /^- state: (.*)$/m.exec(stderr)?.[1]
  }
  const push = ['push', 'good.jsonl', '--dry-run', '--server', 'http://127.0.0.1:1', '--benchmark-id', 'b']
  const file = 'vortex-ingest.toml'
  t.match(await stateOf(['doctor']), new RegExp(`from-all \\(${file}\\)$`))
  t.match(await stateOf(push), new RegExp(`from-push \\(${file} \\[command.push\\]\\)$`))
  t.match(await stateOf(['doctor', '--profile', 'nightly']), /from-nightly \(.*\[profile\.nightly\]\)$/)
  t.match(
    await stateOf(['--profile', 'nightly', ...push]),
    /from-nightly-push \(.*\[profile\.nightly\.command\.push\]\)$/,
  )
  t.match(await stateOf(push, { VORTEX_INGEST_PROFILE: 'nightly' }), /from-nightly-push/)
  t.match(await stateOf(push, { VORTEX_INGEST_STATE: 'from-variable' }), /from-variable \(VORTEX_INGEST_STATE\)$/)
  t.match(await stateOf([...push, '--state', 'from-flag'], { VORTEX_INGEST_STATE: 'x' }), /from-flag \(--state\)$/)
})

t.test('sections and flags of other commands are accepted by every command', async t => {
  const cwd = t.testdir(repository({ 'vortex-ingest.toml': 'retries = 3\n\n[command.push]\nretries = 4\n' }))
  const { code, stderr } = await runCli(['validate', 'good.jsonl'], { cwd })
  t.equal(code, 0, stderr)
})

t.test('doctor says which value comes from the file', async t => {
  const cwd = t.testdir(repository({ 'vortex-ingest.json': '{"retries": 3, "$schema": "schemas/config.json"}' }))
  const { stdout } = await runCli(['doctor', '--server', 'http://127.0.0.1:1', '--retries', '2'], { cwd })
  t.match(stdout, /retries +2 \(--retries\)/)
  const { stdout: told } = await runCli(['doctor', '--server', 'http://127.0.0.1:1', '--format', 'json'], { cwd })
  const lines = (JSON.parse(told) as Doctored).groups.flatMap(group => group.lines)
  t.match(lines.find(({ check }) => check === 'retries')?.fact, /^3 \(vortex-ingest\.json\)/)
})

t.test('it is looked for up to the root of the repository, and no further', async t => {
  const outside = t.testdir({ 'vortex-ingest.toml': 'format = "json"\n' })
  const root = join(outside, 'repository')
  const below = join(root, 'a', 'b')
  mkdirSync(join(root, '.git'), { recursive: true })
  mkdirSync(below, { recursive: true })
  writeFileSync(join(below, 'good.jsonl'), query())
  t.match((await runCli(['validate', 'good.jsonl'], { cwd: below })).stdout, /^valid:/, 'not from outside')
  writeFileSync(join(root, 'vortex-ingest.json'), '{"format":"json"}')
  t.match((await runCli(['validate', 'good.jsonl'], { cwd: below })).stdout, /^\{/, 'from the root')
  t.match((await runCli(['validate', 'good.jsonl', '--config', ''], { cwd: below })).stdout, /^valid:/, 'none at all')
  writeFileSync(join(below, 'other.toml'), 'format = "human"\n')
  t.match((await runCli(['validate', 'good.jsonl', '--config', 'other.toml'], { cwd: below })).stdout, /^valid:/)
})

const MISTAKES: readonly [string, string, RegExp][] = [
  ['an unknown name', 'postgress = "x"', /vortex-ingest\.toml: postgress is not known\nhint: did you mean postgres\?/],
  ['one of another command', '[command.push]\nolder-than = "3d"', /command\.push\.older-than is not known/],
  ['an unknown command', '[command.pusch]\nstate = "x"', /command\.pusch is not known\nhint: did you mean push\?/],
  ['a secret', 'token = "hunter2"', /token is not known\nhint: secrets stay in/],
  ['a value of another sort', 'verbose = "yes"', /verbose must be true or false/],
  ['a choice that there is not', 'format = "xml"', /format is wrong: .*human, json/],
  ['a number that is none', 'max-rejections = 0', /max-rejections is wrong: .*whole number from 1/],
  ['a commit that is none', 'commit-sha = "abc"', /commit-sha.*40 lowercase hex digits/],
  ['a list where one value goes', 'commit-sha = ["a", "b"]', /commit-sha takes one value/],
  ['what is no TOML', 'retries = 3\nformat = ', /vortex-ingest\.toml: line 2: Invalid TOML document: invalid value\n/],
]

for (const [name, text, says] of MISTAKES)
  t.test(`${name} is refused by its name`, async t => {
    const cwd = t.testdir(repository({ 'vortex-ingest.toml': text }))
    const { code, stdout, stderr } = await runCli(['validate', 'good.jsonl'], { cwd })
    t.match(stderr, says)
    t.notMatch(stdout + stderr, /hunter2|\n {4}at /)
    t.equal(code, 78)
  })

t.test('a missing config file is reported in one line with a hint', async t => {
  const { code, stderr } = await runCli(['validate', 'x', '--config', 'none.toml'], { cwd: t.testdir({}) })
  t.equal(code, 78)
  t.match(stderr, /^error: there is no config file none\.toml\nhint: check what --config, [^\n]*\n$/)
})

t.test('two files, or a profile that there is not, are refused', async t => {
  const two = t.testdir(repository({ 'vortex-ingest.toml': '', 'vortex-ingest.json': '{}' }))
  t.match((await runCli(['validate', 'good.jsonl'], { cwd: two })).stderr, /keep one/)
  const one = t.testdir(repository({ 'vortex-ingest.toml': TOML }))
  const { code, stderr } = await runCli(['validate', 'good.jsonl', '--profile', 'nigtly'], { cwd: one })
  t.equal(code, 78)
  t.match(stderr, /there is no profile nigtly\nhint: did you mean nightly\? its profiles are nightly\n/)
  const none = t.testdir(repository({ 'vortex-ingest.toml': '' }))
  const told = await runCli(['validate', 'good.jsonl', '--profile', 'x'], { cwd: none })
  t.match(told.stderr, /no profile x\nhint: it has no profiles/)
})

t.test('a password in it is warned of and not shown', async t => {
  const cwd = t.testdir(repository({ 'vortex-ingest.toml': 'postgres = "postgres://u:hunter2@127.0.0.1:1/d"' }))
  const { stdout, stderr } = await runCli(['doctor', '-v'], { cwd })
  t.match(stderr, /^warning: vortex-ingest\.toml: postgres holds a password/m)
  t.notMatch(stdout + stderr, /hunter2/)
})

t.test('a target on the command line stands against another one in the file', async t => {
  const cwd = t.testdir(repository({ 'vortex-ingest.toml': 'postgres = "postgres://u@127.0.0.1:1/d"\nverbose = true' }))
  const { code, stdout } = await runCli(['migrate', '--embedded', 'store', '-q', '--format', 'json'], { cwd })
  t.equal(code, 0)
  t.match(stdout, /embedded database/)
})

t.test('the schema for editors accepts and refuses the same files as the program', async t => {
  const schema = JSON.parse(readFileSync(projectFile('schemas/config.json'), 'utf8')) as object
  const check = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema)
  const contract = ['contract = "1"', '[command.serve]\ncontract = 3']
  for (const text of [
    TOML,
    ...contract,
    'no-warm = true\nmax-rejections = 3',
    '[command."state prune"]\nolder-than = "30d"',
  ])
    t.ok(check(parse(text)), text)
  for (const [name, text] of MISTAKES.slice(0, 6)) t.notOk(check(parse(text)), name)
  t.notOk(check(parse('contract = 4')), 'a contract version that there is not')
})

t.test('the program can be stopped while it reads a FIFO without a writer', async t => {
  const cwd = t.testdir({ 'good.jsonl': query() })
  execFileSync('mkfifo', [join(cwd, 'fifo.toml')])
  const cli = startCli(['validate', 'good.jsonl', '--config', 'fifo.toml'], { cwd, measure: true })
  await cli.listening
  await pause(300)
  cli.child.kill('SIGINT')
  t.match(await cli.result, { signal: 'SIGINT', stderr: /interrupted/ })
})
