/** The built program starts with what a command needs, says so when it fails, and keeps compiled code where Node can. */

import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import nodeModule from 'node:module'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { projectFile } from '../fixtures/cli.js'

type Result = { readonly status: number | null; readonly stdout: string; readonly stderr: string }

/** A copy of the package without its dependencies, as `npm install --omit=optional` leaves it. */
function installed(t: Test): string {
  const root = t.testdir()
  for (const part of ['bin', 'dist', 'examples', 'schemas', 'golden', 'package.json'])
    cpSync(projectFile(part), join(root, part), { recursive: true })
  return root
}

function run(root: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Result {
  const options = { cwd: root, encoding: 'utf8', env: { PATH: process.env['PATH'], ...env } } as const
  return spawnSync(process.execPath, args, options)
}

/** Writes the names of the files of dist/ that a command loaded, and those of costly modules of Node. */
const TELL_LOADED = `process.on('exit', () => {
  const files = Object.keys(require.cache).filter(file => file.includes('/dist/')).map(file => file.split('/').pop())
  const costly = process.moduleLoadList.filter(module => /NativeModule (perf_hooks|assert|tls|http)$/.test(module))
  require('node:fs').writeFileSync('loaded.json', JSON.stringify([...files, ...costly]))
})`

function loadedBy(root: string, ...args: readonly string[]): readonly string[] {
  writeFileSync(join(root, 'tell-loaded.cjs'), TELL_LOADED)
  const { status, stderr } = run(root, ['--require', './tell-loaded.cjs', 'bin/vortex-ingest.js', ...args])
  t.equal(status, 0, stderr)
  return JSON.parse(readFileSync(join(root, 'loaded.json'), 'utf8')) as readonly string[]
}

t.test('a command loads its own files only', async t => {
  const root = installed(t)
  t.strictSame(loadedBy(root, '--version'), ['main.cjs'])
  const help = loadedBy(root, 'push', '--help')
  t.strictSame(help, ['main.cjs', 'command-line.cjs'])
  const validate = loadedBy(root, 'validate', 'examples/results.jsonl')
  t.strictSame(validate, ['main.cjs', 'command-line.cjs', 'records.cjs'])
  const dryRun = loadedBy(root, 'push', 'examples/results.jsonl', '--commit', 'examples/commit.json', '--dry-run')
  t.notOk(
    dryRun.some(name => name.startsWith('NativeModule')),
    `no costly module of Node: ${dryRun.join(', ')}`,
  )
  const server = ['--server', 'http://127.0.0.1', '--benchmark-id', 'none', '--dry-run']
  const push = loadedBy(root, 'push', 'examples/results.jsonl', '--commit', 'examples/commit.json', ...server)
  t.ok(push.includes('http.cjs'))
  t.notOk(push.includes('postgres.cjs'), 'a push to a server does not load pg')
  t.ok(push.length <= 7, `a push loads few files: ${push.join(', ')}`)
})

t.test('--version alone prints the version, also to a reader that is gone', async t => {
  const root = installed(t)
  const { version } = JSON.parse(readFileSync(projectFile('package.json'), 'utf8')) as { version: string }
  for (const flag of ['--version', '-V'])
    t.match(run(root, ['bin/vortex-ingest.js', flag]), { status: 0, stdout: `${version}\n`, stderr: '' })
  const script = 'set -o pipefail; (sleep 0.2; exec "$0" bin/vortex-ingest.js --version) | true'
  t.match(spawnSync('bash', ['-c', script, process.execPath], { cwd: root, encoding: 'utf8' }), {
    status: 0,
    stderr: '',
  })
})

const NO_FULL_DEVICE = process.platform === 'linux' ? false : 'needs /dev/full'

t.test('--version fails when its output cannot be written', { skip: NO_FULL_DEVICE }, async t => {
  const full = openSync('/dev/full', 'w')
  const { status } = spawnSync(process.execPath, ['bin/vortex-ingest.js', '--version'], {
    cwd: installed(t),
    stdio: ['ignore', full, 'ignore'],
  })
  t.equal(status, 1)
})

const NO_CACHE = 'enableCompileCache' in nodeModule ? false : 'Node 20 has no compile cache'

t.test("the program uses Node's own compile cache", { skip: NO_CACHE }, async t => {
  const root = installed(t)
  mkdirSync(join(root, 'cache'))
  const env = { NODE_COMPILE_CACHE: join(root, 'cache') }
  t.equal(run(root, ['bin/vortex-ingest.js', 'validate', 'examples/results.jsonl'], env).status, 0)
  t.ok(readdirSync(join(root, 'cache'), { recursive: true }).length > 1)
})

t.test('a program that runs out of work before its end, or throws, fails', async t => {
  const root = installed(t)
  const main = join(root, 'dist/main.cjs')
  writeFileSync(main, 'exports.start = () => new Promise(() => undefined)')
  t.equal(run(root, ['bin/vortex-ingest.js', 'validate']).status, 1)
  writeFileSync(main, 'exports.start = async () => { throw new Error() }')
  t.equal(run(root, ['bin/vortex-ingest.js', 'validate']).status, 1)
})

t.test('without its engine the embedded database says what to install', async t => {
  const root = installed(t)
  const push = ['push', 'examples/results.jsonl', '--commit', 'examples/commit.json', '--embedded', 'db']
  const commands = [push, ['migrate', '--embedded', 'db'], ['serve', '--insecure-no-auth']]
  for (const command of commands) {
    const { status, stderr } = run(root, ['bin/vortex-ingest.js', ...command])
    t.equal(status, 78, stderr)
    t.match(stderr, /^error: the engine of the embedded database is not installed$/m)
    t.match(stderr, /^hint: npm install @electric-sql\/pglite@\S+ @electric-sql\/pglite-prepopulatedfs@\S+/m)
    t.equal(stderr.match(/^error:/gm)?.length, 1)
  }
  const doctor = run(root, ['bin/vortex-ingest.js', 'doctor', '--embedded', 'db'])
  t.match(doctor, { status: 78, stdout: /fail +engine +the engine of the embedded database is not installed/ })
})

t.test('the package has no install scripts and needs no other package', async t => {
  const { scripts, dependencies } = JSON.parse(readFileSync(projectFile('package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>
    readonly dependencies?: unknown
  }
  for (const name of ['preinstall', 'install', 'postinstall']) t.notHas(scripts, { [name]: String })
  t.equal(dependencies, undefined)
})
