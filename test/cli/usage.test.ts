import t from 'tap'
import type { Context } from '../../src/cli/context.js'
import { pathOf, withSubcommands } from '../../src/cli/options/command-tree.js'
import { buildProgram } from '../../src/cli/program.js'
import { runCli } from '../fixtures/cli.js'
import { query, SHA, writeCommit } from '../fixtures/records.js'

const COMMANDS = ['push', 'validate', 'verify', 'id', 'golden-check', 'migrate']

t.test('alone it shows its help and ends as a usage error', async t => {
  const { code, stdout } = await runCli([])
  t.equal(code, 2)
  for (const command of COMMANDS) t.match(stdout, new RegExp(`^  ${command} `, 'm'))
})

t.test('every command has help with examples, which are command lines that it takes', async t => {
  // An option of `notify` that must be given, and that its examples expect in the environment.
  t.intercept(process, 'env', { value: { ...process.env, VORTEX_INGEST_WEBHOOK: 'https://hooks.example.com/x' } })
  const program = await buildProgram('', {} as Context, { exitCode: 0 })
  const commands = withSubcommands(program)
  t.ok(commands.length > 20)
  for (const command of commands) {
    const name = pathOf(command).split(' ').slice(1)
    const { code, stdout, stderr } = await runCli([...name, '--help'])
    t.strictSame([code, stderr], [0, ''], name.join(' '))
    t.match(stdout, /\nExamples:\n {2}\S/)
    t.match(stdout, /--quiet/, 'and the flags of every command')
    const lines = (stdout.split('\nExamples:\n')[1] ?? '').split('\n').filter(line => line.startsWith('  '))
    for (const line of lines.filter(one => one.includes('vortex-ingest ')))
      await t.resolves(parsed(wordsOf(line)), line)
  }
})

const MISTAKES: readonly [string, readonly string[], RegExp][] = [
  [
    'an unknown flag',
    ['push', '--postgress', 'x'],
    /^error: unknown option '--postgress' \(Did you mean --postgres\?\)\n/,
  ],
  ['an unknown command', ['validat'], /^error: unknown command 'validat' \(Did you mean validate\?\)\n/],
  ['a flag without its value', ['push', '--postgres'], /argument missing/],
  ['a format that there is not', ['validate', '--format', 'xml'], /xml.*human, json/],
  ['a number that is none', ['validate', '--max-rejections', '0'], /whole number from 1/],
  [
    'more seconds than there are',
    ['push', 'f', '--timeout', '1e9'],
    /is invalid\. It must be .* seconds above 0, at most/,
  ],
  ['no seconds', ['push', 'f', '--timeout', '0'], /seconds above 0/],
  ['a folder without a name', ['push', 'f', '--embedded', ''], /takes a folder, got no name\n/],
  ['an empty address', ['serve', '--listen', ''], /--listen cannot be empty\n/],
  ['an empty store', ['serve', '--insecure-no-auth', '--store', ''], /got no name\n/],
  ['two targets', ['push', 'f', '--postgres', 'postgres://u@h/d', '--embedded'], /name two targets/],
  [
    'a DSN that asks for less than verified TLS',
    ['push', 'f', '--postgres', 'postgres://u@h/d?sslmode=require'],
    /sslmode=require/,
  ],
  ['a DSN of another sort', ['push', 'f', '--postgres', 'mysql://u:secret@h/d'], /postgres:\/\//],
  [
    '--insecure-local for a host that is not this one',
    ['push', 'f', '--postgres', 'postgres://u@db.example.com/d', '--insecure-local'],
    /insecure-local/,
  ],
  ...['push', 'validate', 'verify'].flatMap(command =>
    ['abc', SHA.slice(0, 7), SHA.toUpperCase(), 'HEAD', ''].map((sha): [string, readonly string[], RegExp] => [
      `--commit-sha '${sha}' of ${command}`,
      [command, 'f', '--commit-sha', sha],
      /^error: .* is invalid\. It must be 40 lowercase hex digits, [^\n]*\nhint: [^\n]*\n$/,
    ]),
  ),
  ['an argument too many', ['golden-check', 'x'], /too many arguments/],
]

for (const [name, args, says] of MISTAKES)
  t.test(`${name} is a usage error in one line, and says where the help is`, async t => {
    const { code, stdout, stderr } = await runCli(args)
    t.equal(code, 2, stderr)
    t.equal(stdout, '')
    t.match(stderr, says)
    t.match(stderr, /\nhint: /)
    t.notMatch(stderr, /secret|\n {4}at /)
  })

t.test('colour only where it is wanted', async t => {
  const args = ['golden-check']

  const colour = /\u001b\[/
  t.notMatch((await runCli(args)).stdout, colour)
  t.match((await runCli(args, { env: { FORCE_COLOR: '1' } })).stdout, colour)
  t.notMatch((await runCli(args, { env: { FORCE_COLOR: '1', NO_COLOR: '1' } })).stdout, colour)
})

t.test('a mistyped command or flag gets the nearest name as a hint', async t => {
  for (const [args, meant] of [
    ['state prnue', 'prune'],
    ['journal helth', 'health'],
    ['targets add a http --best-efort', '--best-effort'],
    ['validate --verbos x', '--verbose'],
    ['validate --format jsn', 'json'],
    ['push --role-policy anny', 'any'],
    ['validate --formt=json x', '--format'],
    ['help pusch', 'push'],
    ['help targets ad', 'add'],
    ['targets help ad', 'add'],
  ] as const) {
    const { code, stderr } = await runCli(args.split(' '))
    t.equal(code, 2, args)
    t.match(stderr, `(Did you mean ${meant}?)`, args)
  }
})

t.test('help in front of a command is its help, which is no failure', async t => {
  for (const [args, asked] of [
    ['help', '--help'],
    ['help help', '--help'],
    ['help push', 'push --help'],
    ['help push f.jsonl', 'push --help'],
    ['help targets', 'targets --help'],
    ['targets help', 'targets --help'],
    ['help targets add', 'targets add --help'],
    ['targets help add', 'targets add --help'],
  ] as const) {
    const { code, stdout, stderr } = await runCli(args.split(' '))
    t.strictSame([code, stderr], [0, ''], args)
    t.equal(stdout, (await runCli(asked.split(' '))).stdout, args)
  }
})

t.test('an argument of a command may be named help', async t => {
  const { code, stderr } = await runCli(['validate', 'help'], { cwd: t.testdir({ help: query() }) })
  t.equal(code, 0, stderr)
})

t.test("a command's definition does not depend on other commands being loaded", async t => {
  const all = await buildProgram('', {} as Context, { exitCode: 0 })
  for (const { name, help } of all.commands.map(command => ({
    name: command.name(),
    help: command.helpInformation(),
  }))) {
    const only = await buildProgram('', {} as Context, { exitCode: 0 }, name)
    t.strictSame(
      only.commands.map(command => command.name()),
      [name],
      name,
    )
    t.equal(only.commands[0]?.helpInformation(), help, `${name} --help`)
  }
})

t.test('an empty variable counts as not set, but for those that say where records go', async t => {
  const cwd = t.testdir({ 'f.jsonl': query() })
  const dryRun = ['push', 'f.jsonl', '--dry-run', '--commit', writeCommit(cwd)]
  const unset = ['COMMIT', 'COMMIT_SHA', 'REPORT', 'FORMAT', 'RETRIES', 'PROFILE', 'REQUIRE', 'REPO_URL', 'CONFIG']
  const env = Object.fromEntries(unset.map(name => [`VORTEX_INGEST_${name}`, '']))
  const { code, stderr } = await runCli(dryRun, { cwd, env })
  t.equal(code, 0, stderr)
  for (const place of ['SERVER', 'POSTGRES', 'STATE', 'ARCHIVE', 'TARGET'])
    t.not((await runCli(dryRun, { cwd, env: { [`VORTEX_INGEST_${place}`]: '' } })).code, 0, place)
})

/** The words of a line of shell, of one with a pipe those of the program behind it. */
function wordsOf(line: string): readonly string[] {
  const own = line.slice(line.indexOf('vortex-ingest') + 'vortex-ingest'.length).replace(/ +#.*$| [|>]+ .*$/g, '')
  return [...own.matchAll(/'([^']*)'|"([^"]*)"|(\$\([^)]*\)|\S+)/g)].map(
    ([, single, double, plain = '']) => single ?? double ?? plain,
  )
}

/** Parses it as the program does, and runs nothing. @returns the name of the command that would run */
async function parsed(words: readonly string[]): Promise<string> {
  const program = await buildProgram('', {} as Context, { exitCode: 0 })
  let ran = ''
  for (const command of withSubcommands(program)) {
    command.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined })
    if (command.commands.length === 0) command.action(() => void (ran = pathOf(command)))
  }
  const line = words.filter(word => word !== '--help')
  await program.parseAsync(['node', 'vortex-ingest', ...line])
  if (ran === '') throw new Error('no command would run')
  return ran
}
