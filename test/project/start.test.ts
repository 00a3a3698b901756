/** The program starts with what V8 kept of it, and as well without. */

import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { projectFile } from '../fixtures/cli.js'

/** An installation of its own. */
function installed(t: Test): string {
  const root = t.testdir()
  for (const part of ['bin', 'dist', 'examples', 'schemas', 'golden', 'package.json'])
    cpSync(projectFile(part), join(root, part), { recursive: true })
  symlinkSync(projectFile('node_modules'), join(root, 'node_modules'))
  return root
}

function keptFiles(root: string): readonly string[] {
  return readdirSync(join(root, 'dist'))
    .filter(name => name.endsWith('.cache'))
    .map(name => join(root, 'dist', name))
}

function run(
  cwd: string,
  ...args: readonly string[]
): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync(process.execPath, args, { cwd, encoding: 'utf8', env: { PATH: process.env['PATH'] } })
}

const VALIDATE = ['bin/vortex-ingest.js', 'validate', 'examples/results.jsonl']
const WAS_KEPT = `const { load, wasKept } = require('./bin/load.js'); load('program.cjs'); console.log(wasKept('program.cjs'))`

t.test('the build keeps what was compiled, and a start takes it', async t => {
  const root = installed(t)
  t.equal(keptFiles(root).length, readdirSync(join(root, 'dist')).filter(name => name.endsWith('.cjs')).length)
  t.equal(run(root, '--input-type=commonjs', '-e', WAS_KEPT).stdout, 'true\n')
})

t.test('where nothing is kept, or what V8 refuses, the program runs all the same', async t => {
  const root = installed(t)
  const kept = run(root, ...VALIDATE)
  t.match(kept, { status: 0, stdout: /records/ })
  for (const file of keptFiles(root)) truncateSync(file, 1000)
  t.match(run(root, ...VALIDATE), { status: 0, stdout: kept.stdout })
  for (const file of keptFiles(root)) rmSync(file)
  t.match(run(root, ...VALIDATE), { status: 0, stdout: kept.stdout })
})

t.test('an installation keeps it anew', async t => {
  const root = installed(t)
  const before = keptFiles(root)
  for (const file of before) rmSync(file)
  t.equal(run(root, 'bin/keep-compiled.js').status, 0)
  t.strictSame(keptFiles(root), before)
})

t.test('what was kept of one program is not taken for another of the same length', async t => {
  const root = installed(t)
  const file = join(root, 'dist/program.cjs')
  const other = '//0000000000000000\n(function (exports) { exports.main = async () => 7 })'
  writeFileSync(file, other.padEnd(readFileSync(file, 'utf8').length))
  t.equal(run(root, ...VALIDATE).status, 7)
})

t.test('what is loaded while V8 is asked to optimise later is taken from what was kept, too', async t => {
  const late = `const { load, optimizeLate, wasKept } = require('./bin/load.js'); load('program.cjs'); optimizeLate([])
    load('fastify.cjs'); console.log(wasKept('fastify.cjs'))`
  const { stdout, stderr } = run(installed(t), '--input-type=commonjs', '-e', late)
  t.equal(stdout, 'true\n')
  t.equal(stderr, '', 'no flag that V8 does not know')
})

const NO_FLAG = process.version.startsWith('v20.') ? false : 'later versions than Node 20 have no such flag'

t.test('V8 optimises as ever after some processor time, and for a large file at once', { skip: NO_FLAG }, async t => {
  const root = installed(t)
  const large = join(root, 'large')
  writeFileSync(large, '')
  truncateSync(large, 4 * 1024 * 1024 + 1)
  const asked = (body: string): unknown => {
    const script = `const v8 = require('node:v8'), flags = []; v8.setFlagsFromString = flag => flags.push(flag)
      const { optimizeLate } = require('./bin/load.js'), wait = ms => new Promise(done => setTimeout(done, ms))
      const work = () => { for (const start = process.cpuUsage(); process.cpuUsage(start).user < 300_000; ); }
      ;(async () => { ${body}; console.log(JSON.stringify(flags.map(flag => Number(flag.split('=')[1])))) })()`
    return JSON.parse(run(root, '--input-type=commonjs', '-e', script).stdout)
  }
  const [usual, late] = [66 * 1024, 1_000_000]
  t.strictSame(asked('optimizeLate([]); await wait(400)'), [late], 'whatever the clock says')
  t.strictSame(asked('optimizeLate([]); work(); await wait(200)'), [late, usual])
  t.strictSame(asked(`optimizeLate(['push', ${JSON.stringify(large)}])`), [])
})

t.test('a program that never comes to its end, or dies, is no success', async t => {
  const root = installed(t)
  const file = join(root, 'dist/program.cjs')
  writeFileSync(file, '//0\n(function (exports) { exports.main = () => new Promise(() => undefined) })')
  t.equal(run(root, ...VALIDATE).status, 1)
  writeFileSync(file, '//1\n(function (exports) { exports.main = async () => { throw new Error() } })')
  t.equal(run(root, ...VALIDATE).status, 1)
})

t.test('a checkout that is not built has nothing to keep', async t => {
  const root = installed(t)
  rmSync(join(root, 'dist'), { recursive: true })
  t.match(run(root, 'bin/keep-compiled.js'), { status: 0, stdout: '' })
})
