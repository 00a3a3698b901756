/** The output of every command with `--format json` has the schema that schemas/v1 publishes. */

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import t from 'tap'
import { runCli } from '../fixtures/cli.js'

const ROOT = new URL('../../', import.meta.url)
const RESULTS = new URL('examples/results.jsonl', ROOT).pathname
const DEAD = 'http://127.0.0.1:1'
const COMMIT = new URL('examples/commit.json', ROOT).pathname

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true })

t.test('JSON output', async t => {
  const folder = t.testdir({ 'bad.jsonl': '{"kind":"seventh"}\n', 'empty.jsonl': '' })
  const bad = join(folder, 'bad.jsonl')
  const twice = join(folder, 'twice.jsonl')
  const examples = await readFile(RESULTS, 'utf8')
  const first = examples.slice(0, examples.indexOf('\n') + 1)
  await writeFile(twice, first + first + first.replace('"value_ns":', '"value_ns":1'))
  const at = ['--embedded', join(folder, 'store')]
  const commit = ['--commit', COMMIT]
  const state = ['--state', join(folder, 'state')]
  // Nothing listens there, so that something is kept.
  const dead = ['--server', 'http://127.0.0.1:1', '--retries', '0', '--benchmark-id', 'b']

  const cases: readonly Case[] = [
    ['a push', 'push-report', 0, ['push', RESULTS, twice, ...commit, ...at]],
    ['a dry run', 'push-report', 0, ['push', RESULTS, '--dry-run', ...commit, ...at]],
    ['a push of a bad file', 'push-report', 65, ['push', bad, ...commit, ...at]],
    ['a push with state', 'push-report', 0, ['push', RESULTS, ...commit, ...at, ...state]],
    ['a push with state and nothing new', 'push-report', 0, ['push', RESULTS, ...commit, ...at, ...state]],
    ['a push with state to a dead target', 'push-report', 75, ['push', twice, ...commit, ...dead, ...state]],
    ['recover --dry-run', 'recover-plan', 0, ['recover', '--dry-run', ...state]],
    ['recover', 'drain-report', 75, ['recover', ...dead.slice(0, 4), ...state]],
    ['drain', 'drain-report', 0, ['drain', ...at, ...state]],
    ['drain to a dead target', 'drain-report', 75, ['drain', ...dead.slice(0, 4), ...state]],
    ['drain of an unused state', 'error-report', 66, ['drain', ...at, '--state', join(folder, 'typo')]],
    ['status', 'status-report', 0, ['status', ...state]],
    ['status without state', 'error-report', 2, ['status']],
    ['a push without input', 'error-report', 66, ['push', join(folder, 'none.jsonl'), ...at]],
    ['validate', 'validate-report', 0, ['validate', RESULTS, twice, join(folder, 'empty.jsonl')]],
    ['validate of a bad file', 'validate-report', 65, ['validate', bad, RESULTS]],
    ['verify', 'verify-report', 0, ['verify', twice, ...at]],
    ['verify that finds differences', 'verify-report', 4, ['verify', twice, '--extra', ...at]],
    ['compare of a commit that is not there', 'error-report', 78, ['compare', 'main', '--git-dir', folder, ...at]],
    ['golden-check', 'golden-check-report', 0, ['golden-check']],
    ['migrate', 'migrate-report', 0, ['migrate', ...at]],
    ['migrate --check', 'migrate-check-report', 0, ['migrate', '--check', ...at]],
    ['doctor', 'doctor-report', 0, ['doctor', ...at]],
    ['doctor that finds a dead target', 'doctor-report', 69, ['doctor', '--postgres', 'postgres://u@127.0.0.1:1/d']],
    ...registryCases(folder),
  ]
  for (const [name, schema, exitCode, args] of cases)
    await t.test(`${name} prints one ${schema}`, async t => {
      const env = { INGEST_BEARER_TOKEN: 'x'.repeat(8) }
      // `recover` finishes only deliveries whose process has ended.
      const ownProcess = args[0] === 'push' && args.includes('--state') ? true : undefined
      const { code, stdout } = await runCli([...args, '--format', 'json'], { env, ...(ownProcess && { ownProcess }) })
      const report = JSON.parse(stdout) as { exit_code: number }
      t.equal(code, exitCode)
      t.equal(report.exit_code, exitCode)
      t.same(await problems(schema, report), [])
    })

  await t.test('id prints an id-line a record', async t => {
    const { stdout } = await runCli(['id', RESULTS, '--format', 'json'])
    const lines = stdout.trimEnd().split('\n')
    t.equal(lines.length, examples.trimEnd().split('\n').length)
    for (const line of lines.slice(0, 20)) t.same(await problems('id-line', JSON.parse(line)), [])
  })
})

/** The name, the schema, the exit code and the arguments. */
type Case = readonly [string, string, number, readonly string[]]

/** In a state of its own, since a state with targets is pushed to them. */
function registryCases(folder: string): readonly Case[] {
  const state = ['--state', join(folder, 'registered')]
  const dead = ['push', RESULTS, '--commit', COMMIT, '--benchmark-id', 'b', '--retries', '0', ...state]
  return [
    ['buckets add', 'buckets-add-report', 0, ['buckets', 'add', 'cold', '--root', join(folder, 'cold'), ...state]],
    ['buckets add of a known name', 'error-report', 78, ['buckets', 'add', 'cold', '--root', 'memory:', ...state]],
    ['buckets put', 'buckets-put-report', 0, ['buckets', 'put', 'rescue', 'a', COMMIT, ...state]],
    ['buckets get', 'buckets-get-report', 0, ['buckets', 'get', 'cold', 'a', ...state]],
    ['buckets get of nothing', 'error-report', 78, ['buckets', 'get', 'cold', 'nothing', ...state]],
    ['targets add', 'targets-add-report', 0, ['targets', 'add', 'keep', 'archive', '--bucket', 'cold', ...state]],
    ['targets add of a dead one', 'targets-add-report', 0, ['targets', 'add', 'site', 'server', DEAD, ...state]],
    ['a push to registered targets, one of them dead', 'push-report', 75, dead],
    ['targets ls', 'targets-ls-report', 0, ['targets', 'ls', ...state]],
    ['targets ls --no-check', 'targets-ls-report', 0, ['targets', 'ls', '--no-check', ...state]],
    ['targets test', 'doctor-report', 0, ['targets', 'test', 'keep', ...state]],
    ['targets test of a dead one', 'doctor-report', 69, ['targets', 'test', 'site', ...state]],
    ['targets set', 'targets-set-report', 0, ['targets', 'set', 'site', '--best-effort', ...state]],
    ['a drain of registered targets', 'drain-report', 0, ['drain', '--retries', '0', ...state]],
    ['journal', 'journal-report', 0, ['journal', ...state]],
    ['journal health', 'journal-health-report', 0, ['journal', 'health', ...state]],
    ['journal compact', 'journal-compact-report', 0, ['journal', 'compact', ...state]],
    ['buckets ls', 'buckets-ls-report', 0, ['buckets', 'ls', ...state]],
    ['buckets rm of one in use', 'error-report', 78, ['buckets', 'rm', 'cold', ...state]],
    ['targets rm', 'targets-rm-report', 0, ['targets', 'rm', 'keep', ...state]],
    ['buckets rm', 'buckets-rm-report', 0, ['buckets', 'rm', 'cold', ...state]],
    ['targets rm of an unknown one', 'error-report', 78, ['targets', 'rm', 'nobody', ...state]],
  ]
}

async function problems(name: string, value: unknown): Promise<readonly unknown[]> {
  const schema = JSON.parse(await readFile(new URL(`schemas/v1/${name}.json`, ROOT), 'utf8')) as { $id: string }
  const check = ajv.getSchema(schema.$id) ?? ajv.compile(schema)
  return check(value) === true ? [] : (check.errors ?? [])
}
