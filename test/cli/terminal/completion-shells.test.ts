/** Presses Tab in a real zsh or fish that has loaded the completion script of the program. */

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { trialKey } from '../../../src/state/keys.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { runCli, projectFile } from '../../fixtures/cli.js'
import { missingProgram } from '../../fixtures/terminal.js'
import { execFile } from 'node:child_process'

/** fish tells what it would list after each line: the words, without what they are. */
const FISH = `
source $SCRIPT
for line in $argv
    complete -C $line | string replace -r '\\t.*' ''
    echo ---
end`

/**
 * An interactive zsh in a pseudo-terminal of its own. Each line is typed, and a Tab; what is in the line then is told
 * between brackets, after what the terminal showed meanwhile.
 */
const ZSH = `
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PS1= PROMPT_EOL_MARK=; unset zle_bracketed_paste; stty -echo columns 200'
zpty -w shell 'fpath=($FOLDER $fpath); autoload -Uz compinit; compinit -u -D'
zpty -w shell 'show() { print -r -- "<<$BUFFER>>"; BUFFER= }; zle -N show; bindkey "^X" show; print set"up"'
zpty -r shell out '*setup*'
for line; do
  zpty -w -n shell "$line"$'\\t\\x18'
  zpty -r shell out '*<<*>>*'
  print -r -- "$out"
done`

const CONFIG = 'state = "kept"\n\n[profile.nightly]\nretries = 3\n\n[profile.local]\nstate = "none"\n'

/** A repository with files, a state that knows names, a config file, and the program on the PATH. */
async function workplace(t: Test): Promise<Place> {
  const files = { 'results.jsonl': '', 'readme.txt': '', 'a b.jsonl': '', 'x:y.jsonl': '', taken: {} }
  const cwd = t.testdir({ '.git': {}, bin: { 'vortex-ingest': shim() }, ...files, 'vortex-ingest.toml': CONFIG })
  chmodSync(join(cwd, 'bin/vortex-ingest'), 0o755)
  const add = async (...args: readonly string[]): Promise<void> => {
    const { code, stderr } = await runCli([...args, '--state', 'kept'], { cwd })
    t.equal(code, 0, stderr)
  }
  await add('targets', 'add', 'site', 'server', 'http://127.0.0.1:1')
  await add('buckets', 'add', 'cold', '--root', join(cwd, 'cold'))
  const storage = await openStorage({ kind: 'local', folder: join(cwd, 'kept') })
  // Only its key is looked at.
  await storage.put(trialKey('a target', 'fedcba987654'), Buffer.from('{}'))
  await storage.close()
  return { cwd, env: { PATH: `${join(cwd, 'bin')}:${process.env['PATH'] ?? ''}` } }
}

t.test('fish offers', { skip: missingProgram('fish') }, async t => {
  const place = await workplace(t)
  const script = join(place.cwd, 'completion.fish')
  writeFileSync(script, (await runCli(['completion', 'fish'])).stdout)
  const CASES: readonly [string, string, readonly string[]][] = [
    ['commands', 'pu', ['push']],
    ['commands below a command', 'state pr', ['prune']],
    ['flags', 'push --ful', ['--full-refresh']],
    ['choices', 'validate --format ', ['human', 'json', 'junit', 'sarif']],
    ['choices after an equals sign', 'validate --format=j', ['--format=json', '--format=junit']],
    ['files', 'push res', ['results.jsonl']],
    ['a file with a blank', 'push a', ['a b.jsonl']],
    ['files of a flag', 'push --commit read', ['readme.txt']],
    ['files after an equals sign', 'push --commit=read', ['--commit=readme.txt']],
    ['folders', 'push --state ta', ['taken/']],
    ['folders after an equals sign', 'push --state=ta', ['--state=taken/']],
    ['nothing for what is free', 'push --benchmark-id ', []],
    ['targets', 'push --state kept --target s', ['site']],
    ['targets of a state below the home folder', 'targets rm --state ~/kept ', ['site']],
    ['buckets', 'buckets get --state=kept c', ['cold']],
    ['trials', 'promote --state kept --trial fed', ['fedcba987654']],
    ['targets of the state in the config file', 'push --target ', ['site']],
    ['none of a profile that has another state', 'push --profile local --target ', []],
    ['profiles', 'push --profile ', ['local', 'nightly']],
    ['none of no config file', 'push --config "" --profile ', []],
    ['shells', 'completion f', ['fish']],
  ]
  const lines = CASES.map(([, line]) => `vortex-ingest ${line}`)
  const offered = await fishOffers(script, lines, place)
  for (const [index, [name, , expected]] of CASES.entries())
    t.strictSame(offered[index]?.toSorted(), expected, `${name}: ${lines[index]}`)
})

t.test('a Tab in zsh', { skip: missingProgram('zsh') }, async t => {
  const place = await workplace(t)
  const folder = join(place.cwd, 'functions')
  mkdirSync(folder)
  writeFileSync(join(folder, '_vortex-ingest'), (await runCli(['completion', 'zsh'])).stdout)
  const CASES: readonly [string, string, string][] = [
    ['ends a command', 'pu', 'push '],
    ['ends a command below a command', 'state p', 'state prune '],
    ['ends a flag', 'push --ful', 'push --full-refresh '],
    ['ends a choice', 'validate --format s', 'validate --format sarif '],
    ['ends a choice after an equals sign', 'validate --format=ju', 'validate --format=junit '],
    ['ends a file', 'push res', 'push results.jsonl '],
    ['quotes a blank', 'push a', 'push a\\ b.jsonl '],
    ['goes on in quotes', 'push "a ', 'push "a b.jsonl" '],
    ['ends a file with a colon', 'push x', 'push x:y.jsonl '],
    ['ends a file after an equals sign', 'push --commit=read', 'push --commit=readme.txt '],
    ['ends a folder', 'push --state=ta', 'push --state=taken/'],
    ['ends a target', 'push --state "kept" --target s', 'push --state "kept" --target site '],
    ['ends a bucket', 'buckets get --state ~/kept c', 'buckets get --state ~/kept cold '],
    ['ends a trial', 'promote --trial fed', 'promote --trial fedcba987654 '],
    ['ends a profile', 'push --profile n', 'push --profile nightly '],
    ['adds nothing to what is free', 'push --benchmark-id ', 'push --benchmark-id '],
  ]
  const CHOICE = 'vortex-ingest push --require '
  const lines = [...CASES.map(([, line]) => `vortex-ingest ${line}`), CHOICE, 'vortex-ingest sta']
  const tabbed = await zshAfterTab(folder, lines, place)
  for (const [index, [name, , expected]] of CASES.entries())
    t.equal(tabbed[index]?.line, `vortex-ingest ${expected}`, `${name}: ${lines[index]}`)

  const [choice, common] = tabbed.slice(CASES.length)
  t.match(choice?.shown, /all +any +archive +embedded +postgres +server/, 'lists what there is to choose')
  t.notMatch(choice?.shown, /--\s*$/m, 'and no explanations where there are none')
  t.equal(common?.line, 'vortex-ingest stat', 'goes as far as state and status are the same')
})

type Place = { readonly cwd: string; readonly env?: Readonly<Record<string, string>> }

/** A folder with the program under its name, for a PATH; to be made with `t.testdir`. */
function shim(): string {
  return `#!/bin/sh\nexec ${process.execPath} ${projectFile('bin/vortex-ingest.js')} "$@"\n`
}

/** @param script what `completion fish` printed, as a file */
async function fishOffers(
  script: string,
  lines: readonly string[],
  place: Place,
): Promise<readonly (readonly string[])[]> {
  const told = await run('fish', ['--no-config', '-c', FISH, ...lines], { SCRIPT: script }, place)
  return told
    .split('---\n')
    .slice(0, -1)
    .map(part => part.split('\n').filter(word => word !== ''))
}

type Tabbed = {
  /** The command line after the Tab. */
  readonly line: string
  /** All that was written to the terminal, a list of choices too. */
  readonly shown: string
}

/** @param folder with what `completion zsh` printed as `_vortex-ingest`, as in zsh's `fpath` */
async function zshAfterTab(folder: string, lines: readonly string[], place: Place): Promise<readonly Tabbed[]> {
  const told = await run('zsh', ['-f', '-c', ZSH, 'zsh', ...lines], { FOLDER: folder }, place)
  return [...told.matchAll(/(.*?)<<(.*?)>>/gs)].map(([, shown = '', line = '']) => ({ line, shown }))
}

function run(
  shell: string,
  args: readonly string[],
  own: Readonly<Record<string, string>>,
  { cwd, env }: Place,
): Promise<string> {
  const options = { cwd, env: { PATH: process.env['PATH'], TERM: 'dumb', HOME: cwd, ...own, ...env }, timeout: 60_000 }
  return new Promise((resolve, reject) => {
    const child = execFile(shell, args, options, (error, stdout) =>
      error === null ? resolve(stdout) : reject(new Error(error.message)),
    )
    child.stdin?.end()
  })
}
