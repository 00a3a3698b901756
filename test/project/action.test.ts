/** The action at the repository's root: its steps run as GitHub would run them. */

import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { projectFile } from '../fixtures/cli.js'
import { outputsOf } from '../cli/fixtures/github.js'
import { SHA, jsonl, oneOfEach, query, writeCommit } from '../fixtures/records.js'

type Action = {
  readonly inputs: Readonly<Record<string, { readonly default?: string; readonly required?: boolean }>>
  readonly outputs: Readonly<Record<string, { readonly value: string }>>
  readonly runs: {
    readonly using: string
    readonly steps: readonly {
      readonly id?: string
      readonly shell: string
      readonly run: string
      readonly env: Readonly<Record<string, string>>
    }[]
  }
}

const action = parse(readFileSync(projectFile('action.yml'), 'utf8')) as Action

type Ran = { readonly code: number | null; readonly stdout: string; readonly stderr: string; readonly outputs: object }

/** Runs every step with these inputs, until one fails. */
function runAction(cwd: string, given: Readonly<Record<string, string>>): Ran {
  const file = join(cwd, '.output')
  writeFileSync(file, '')
  let ran: Omit<Ran, 'outputs'> = { code: 0, stdout: '', stderr: '' }
  for (const { run, env } of action.runs.steps) {
    const values = Object.entries(env).map(([name, value]) => [name, evaluate(value, given)])
    const ci = { PATH: process.env['PATH'], CI: 'true', GITHUB_ACTIONS: 'true', GITHUB_OUTPUT: file }
    const { status, stdout, stderr } = spawnSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', run], {
      cwd,
      env: { ...ci, ...(Object.fromEntries(values) as object) },
      encoding: 'utf8',
    })
    ran = { code: status, stdout, stderr }
    if (status !== 0) break
  }
  return { ...ran, outputs: outputsOf(readFileSync(file, 'utf8')) }
}

const GITHUB: Readonly<Record<string, string>> = { action_path: projectFile(''), token: 'job-4712' }

/** The only expressions there are: an input by its name, the folder of the action and the token of the job. */
function evaluate(value: string, given: Readonly<Record<string, string>>): string {
  const [, context, name = ''] = /^\$\{\{ (inputs|github)\.([a-z_-]+) \}\}$/.exec(value) ?? []
  if (context === undefined) return value
  if (context === 'github') return GITHUB[name]!
  const input = action.inputs[name]
  if (input === undefined) throw new Error(`there is no input ${name}`)
  return given[name] ?? evaluate(input.default ?? '', given)
}

t.test('its outputs are those of the step, and no expression stands in the text of a shell', async t => {
  t.equal(action.runs.using, 'composite')
  for (const [name, { value }] of Object.entries(action.outputs)) t.equal(value, `\${{ steps.run.outputs.${name} }}`)
  for (const { run } of action.runs.steps) t.notMatch(run, '${{')
})

t.test('a push lands and hands on its numbers', async t => {
  const cwd = t.testdir({ 'a b.jsonl': jsonl(oneOfEach()) })
  const args = `--embedded\n--commit\n${writeCommit(cwd)}`
  const { code, stdout, stderr, outputs } = runAction(cwd, { files: 'a b.jsonl\n', args })
  t.equal(code, 0, stderr)
  t.match(stdout, /^ingested 5 records/)
  t.strictSame(outputs, { accepted: '5', inserted: '5', updated: '0', rejected: '0', commit: SHA, exit: '0' })
})

t.test('validate checks, writes a report and fails the step', async t => {
  const cwd = t.testdir({ 'bad.jsonl': jsonl([query(), '{}']) })
  const given = { command: 'validate', files: '*.jsonl', report: 'report.json', server: 'https://not.for.it' }
  const { code, stderr, outputs } = runAction(cwd, given)
  t.equal(code, 65)
  t.match(stderr, '::error file=bad.jsonl,line=2')
  t.match(outputs, { rejected: '1', exit: '65' })
  t.match(JSON.parse(readFileSync(join(cwd, 'report.json'), 'utf8')), { rejected: 1 })
})

t.test('secrets are not arguments, and inputs are not evaluated as code', async t => {
  const cwd = t.testdir({ 'one.jsonl': query() })
  const secrets = { token: 'hush-4711', postgres: 'postgres://u:hush-0815@127.0.0.1:1/d' }
  const given = { files: '$(touch owned).jsonl', server: 'https://ingest.invalid', ...secrets }
  const { code, stderr } = runAction(cwd, given)
  t.equal(code, 66, stderr)
  t.match(stderr, /^::add-mask::job-4712\n::add-mask::hush-4711\n::add-mask::hush-0815\n/)
  t.match(stderr, 'error: $(touch owned).jsonl: no file matches')
  t.throws(() => readFileSync(join(cwd, 'owned')))
  for (const { run } of action.runs.steps) t.notMatch(run, /add [^\n]*(TOKEN|POSTGRES)/)
})

t.test('compare needs no files, and gets the token of the job for comments', async t => {
  const cwd = t.testdir({ 'one.jsonl': query() })
  const { code, stderr } = runAction(cwd, { command: 'compare', args: `${SHA}\n--embedded\n--comment` })
  t.equal(code, 78, stderr)
  t.match(stderr, '::add-mask::job-4712')
})
