import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { trialKey } from '../../../src/state/keys.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { projectFile, runCli } from '../../fixtures/cli.js'
import { noTerminal } from '../../fixtures/terminal.js'
import { missingProgram } from '../../fixtures/terminal.js'

const BIN = projectFile('bin/vortex-ingest.js')

type Place = { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> }

/** The candidates that bash offers for a line with the cursor at its end. */
function bashOffers(line: string, { cwd, env }: Place = {}): Promise<readonly string[]> {
  const script = `
    vortex-ingest() { ${process.execPath} ${BIN} "$@"; }
    source <(vortex-ingest completion bash)
    read -ra COMP_WORDS <<< "$LINE"; [[ $LINE == *' ' ]] && COMP_WORDS+=('')
    COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
    _vortex_ingest 2>/dev/null; printf '%s\\n' "\${COMPREPLY[@]}"`
  return new Promise((resolve, reject) => {
    const options = { cwd, env: { PATH: process.env['PATH'], HOME: cwd, LINE: line, ...env } }
    execFile('bash', ['--norc', '-c', script], options, (error, stdout) =>
      error === null ? resolve(stdout.split('\n').filter(word => word !== '')) : reject(new Error(error.message)),
    )
  })
}

t.test('in bash', { skip: missingProgram('bash') }, async t => {
  const CONFIG = '[profile.nightly]\nretries = 3\n'
  const files = { 'results.jsonl': '', 'readme.txt': '', 'vortex-ingest.toml': CONFIG }
  const cwd = t.testdir({ '.git': {}, ...files, state: {} })
  const state = join(cwd, 'kept')
  const added = await runCli(['targets', 'add', 'site', 'server', 'http://127.0.0.1:1', '--state', state])
  t.equal(added.code, 0, added.stderr)
  t.equal((await runCli(['buckets', 'add', 'cold', '--root', join(cwd, 'cold'), '--state', state])).code, 0)

  // Only its key is looked at.
  const storage = await openStorage({ kind: 'local', folder: state })
  await storage.put(trialKey('a target', 'fedcba987654'), Buffer.from('{}'))
  await storage.close()

  const CASES: readonly [string, string, readonly string[]][] = [
    ['commands', 'vortex-ingest va', ['validate']],
    ['commands below a command', 'vortex-ingest state p', ['prune']],
    ['a command after a flag of the program', 'vortex-ingest --quiet golden', ['golden-check']],
    ['flags', 'vortex-ingest push --ful', ['--full-refresh']],
    ['flags of the program', 'vortex-ingest push --qu', ['--quiet']],
    ['not a flag that is there', 'vortex-ingest push --dry-run --dry', []],
    ['choices', 'vortex-ingest validate --format ', ['human', 'json', 'sarif', 'junit']],
    ['choices after an equals sign', 'vortex-ingest validate --format = j', ['json', 'junit']],
    ['files', 'vortex-ingest push res', ['results.jsonl']],
    ['files of a flag', 'vortex-ingest push --commit read', ['readme.txt']],
    ['folders', 'vortex-ingest push --state st', ['state']],
    ['nothing for what is free', 'vortex-ingest push --benchmark-id ', []],
    ['files after --', 'vortex-ingest push -- res', ['results.jsonl']],
    ['targets of the state that a flag names', `vortex-ingest push --state ${state} --target s`, ['site']],
    ['trials', `vortex-ingest promote --state ${state} --trial fed`, ['fedcba987654']],
    ['targets of a state below the home folder', 'vortex-ingest targets rm --state ~/kept ', ['site']],
    ['profiles of the config file', 'vortex-ingest push --profile = n', ['nightly']],
    ['shells', 'vortex-ingest completion f', ['fish']],
  ]
  for (const [name, line, offered] of CASES)
    await t.test(name, async t => t.strictSame(await bashOffers(line, { cwd }), offered))

  await t.test('names in the state of VORTEX_INGEST_STATE', async t => {
    const env = { VORTEX_INGEST_STATE: state }
    t.strictSame(await bashOffers('vortex-ingest targets rm ', { cwd, env }), ['site'])
    t.strictSame(await bashOffers('vortex-ingest buckets get ', { cwd, env }), ['primary', 'rescue', 'cold'])
    t.strictSame(await bashOffers('vortex-ingest journal --target ', { cwd, env }), [
      'site',
      'primary',
      'rescue',
      'cold',
    ])
    t.strictSame(await bashOffers('vortex-ingest targets add ', { cwd, env }), [], 'a new name is nobody’s to know')
  })

  await t.test('a name that a shell would run, or take for a flag, is not offered', async t => {
    const storage = await openStorage({ kind: 'local', folder: state })
    for (const id of ['fedcb$(id)', 'fedcb`id`', '--by=x'])
      await storage.put(trialKey('a target', id), Buffer.from('{}'))
    await storage.close()
    t.strictSame(await bashOffers(`vortex-ingest promote --state ${state} --trial `, { cwd }), ['fedcba987654'])
  })

  await t.test('a file whose name has blanks or a star is one file', async t => {
    const odd = t.testdir({ 'a b.jsonl': '', 'a*': '', ax: '' })
    t.strictSame((await bashOffers('vortex-ingest push a', { cwd: odd })).toSorted(), ['a b.jsonl', 'a*', 'ax'])
  })

  await t.test('a state that is not there is not made, and offers nothing', async t => {
    const none = join(cwd, 'none')
    t.strictSame(await bashOffers(`vortex-ingest push --state ${none} --target `, { cwd }), [])
    t.notOk(existsSync(none))
  })

  await t.test('the address of a state in a bucket is one word', async t => {
    const { stdout } = await runCli(['completion', '--query', '--', 'push', '--state', 's3', ':', '//b/p', '--targ'])
    t.match(stdout, /^--target\t/)
  })

  await t.test('a ~ that no shell reads is a folder of that name, as for every command', async t => {
    const env = { HOME: cwd, VORTEX_INGEST_STATE: '~/kept' }
    const query = ['completion', '--query', '--', 'targets', 'rm']
    t.equal((await runCli([...query, ''], { cwd, env })).stdout, '')
    t.match((await runCli([...query, '--state', '~/kept', ''], { cwd, env })).stdout, /^site/)
  })

  await t.test('completion works despite a mistake in the config file', async t => {
    const wrong = t.testdir({ 'vortex-ingest.toml': 'postgress = "x"\n' })
    t.strictSame(await bashOffers('vortex-ingest va', { cwd: wrong }), ['validate'])
  })

  await t.test('every command and flag is offered', async t => {
    const { stdout } = await runCli(['completion', '--query', '--', ''])
    const commands = stdout.split('\n').map(line => line.split('\t')[0])
    for (const command of ['push', 'validate', 'state', 'completion']) t.ok(commands.includes(command), command)
  })
})

t.test('a Tab in an interactive bash', { skip: missingProgram('bash') || noTerminal }, async t => {
  const shell = spawn('script', ['-qec', 'bash --norc -i', '/dev/null'], {
    env: { PATH: process.env['PATH'], TERM: 'dumb', PS1: '$ ' },
  })
  let shown = ''
  shell.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()))
  const type = async (text: string, until: RegExp): Promise<void> => {
    shell.stdin.write(text)
    for (let waited = 0; !until.test(shown) && waited < 15_000; waited += 50) await pause(50)
  }
  await type(`alias vortex-ingest='${process.execPath} ${BIN}'; vi() { ${process.execPath} ${BIN} "$@"; }\n`, /\$ $/)
  await type(`source <(vi completion bash | sed 's/"\${COMP_WORDS\\[0\\]}"/vi/'); echo ready\n`, /\nready/)
  await type('vortex-ingest golden-\t', /golden-check/)
  t.match(shown, /vortex-ingest golden-check /)
  shell.stdin.end('\u0003\nexit\n')
})

t.test('without a shell the shells are named', async t => {
  const { code, stderr } = await runCli(['completion'])
  t.equal(code, 2)
  t.equal(stderr, 'error: missing shell\nhint: name one of bash, zsh, fish\n')
})

t.test('an unknown shell is a usage error that names the nearest one', async t => {
  const { code, stderr } = await runCli(['completion', 'bsh'])
  t.equal(code, 2)
  t.match(stderr, /no completion for bsh\nhint: did you mean bash\?/)
})
