/** The published package as a library: its examples run, its types fit, and importing it loads no backend. */

import { execFile, type ExecFileException } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import t from 'tap'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const NODE_MODULES = join(ROOT, 'node_modules')

const EXAMPLES = [...readFileSync(join(ROOT, 'docs/library.md'), 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)].map(
  ([, code = '']) => code,
)
/** Examples without an address of another machine, which need only the files of the package. */
const LOCAL_EXAMPLES = EXAMPLES.filter(code => !/\/\/\S*@?(?:ingest|db)\.example\.com/.test(code))

const project = await installedProject(t.testdir())

t.test('the examples that need no other machine run in their order', async t => {
  t.equal(LOCAL_EXAMPLES.length, 5)
  const expected = [
    /^\d+ valid records\ndelivered \d+\n$/,
    /^no_input check the name/,
    /^the embedded database in database/,
    /^0 differences in/,
    /^0 of 1 commits changed series\n$/,
  ]
  for (const [index, code] of LOCAL_EXAMPLES.entries()) {
    const file = join(project, `example-${index}.mjs`)
    writeFileSync(file, ts.transpileModule(code, { compilerOptions: { target: ts.ScriptTarget.ES2022 } }).outputText)
    const { stdout, stderr, code: exitCode } = await run(process.execPath, ['--liftoff-only', file], project)
    t.match(stdout, expected[index], stderr)
    t.equal(exitCode, 0)
  }
})

t.test('the examples compile under nodenext, and the declarations need only the types of Node', async t => {
  for (const [index, code] of EXAMPLES.entries()) writeFileSync(join(project, `typed-${index}.mts`), code)
  const misuse = `import { archive, verify } from 'vortex-ingest'\nawait verify([], { target: archive('a') })\n`
  writeFileSync(join(project, 'misuse.mts'), misuse)
  const compilerOptions = { module: 'nodenext', target: 'es2023', strict: true, noEmit: true, types: ['node'] }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.mts'] }))
  const { stdout } = await run(
    process.execPath,
    [join(NODE_MODULES, 'typescript/bin/tsc'), '--pretty', 'false'],
    project,
  )
  const errors = stdout.split('\n').filter(line => /error TS/.test(line))
  t.match(errors, [/^misuse\.mts\(2,\d+\): error TS2741: .*openRows/], stdout)
  t.equal(errors.length, 1, 'an archive cannot be read')
})

t.test('importing the library loads no backend and has no side effects', async t => {
  const hook = `import { appendFileSync } from 'node:fs'
    export async function load(url, context, next) { appendFileSync('loaded.txt', url + '\\n'); return next(url, context) }`
  writeFileSync(join(project, 'hook.mjs'), hook)
  const code = `import { register } from 'node:module'
    register('./hook.mjs', import.meta.url)
    const before = [Object.keys(globalThis).join(), process.listenerCount('exit'), process.exitCode]
    console.log(Object.keys(await import('vortex-ingest')).join(' '))
    const after = [Object.keys(globalThis).join(), process.listenerCount('exit'), process.exitCode]
    if (before.join() !== after.join()) throw new Error(after.join())`
  writeFileSync(join(project, 'import.mjs'), code)
  const files = readdirSync(project)
  const { stdout, stderr } = await run(process.execPath, [join(project, 'import.mjs')], project)
  t.equal(
    stdout,
    'IngestError archive changes compare drain embedded openState postgres push recover server validate verify\n',
    stderr,
  )
  const loaded = readFileSync(join(project, 'loaded.txt'), 'utf8').trim().split('\n')
  const own = loaded.filter(url => url.startsWith('file:')).map(url => fileURLToPath(url))
  t.ok(own.length > 5)
  const modules = own.flatMap(file => readFileSync(file, 'utf8').match(/(?<=^\/\/ )(?:src|node_modules)\/\S+/gm) ?? [])
  t.ok(modules.includes('src/source/validate.ts'))
  const backends =
    /node_modules\/(?!xxhash-wasm|ulid)|\/sink\.ts|\/connect\.ts|http\/exchange|storage\/(?:local|s3)\/|src\/cli\//
  t.strictSame(
    modules.filter(module => backends.test(module) && module !== 'src/targets/sink.ts'),
    [],
  )
  t.strictSame(
    readdirSync(project).filter(file => !files.includes(file)),
    ['loaded.txt'],
  )
})

t.test('the package has no runtime dependency but the embedded engine, and no install script', async t => {
  const installed = JSON.parse(
    readFileSync(join(project, 'node_modules/vortex-ingest/package.json'), 'utf8'),
  ) as PackageJson
  t.equal(installed.dependencies, undefined)
  t.strictSame(Object.keys(installed.optionalDependencies), [
    '@electric-sql/pglite',
    '@electric-sql/pglite-prepopulatedfs',
  ])
  t.notOk(Object.keys(installed.scripts).some(name => /^(?:pre|post)?install$/.test(name)))
})

type PackageJson = {
  readonly dependencies?: object
  readonly optionalDependencies: object
  readonly scripts: object
}

/** A project with the packed package, the embedded engine, and the examples' files. */
async function installedProject(folder: string): Promise<string> {
  const project = join(folder, 'project')
  const installed = join(project, 'node_modules/vortex-ingest')
  mkdirSync(installed, { recursive: true })
  const types = await run(process.execPath, ['--import', 'tsx', 'scripts/build-types.ts'], ROOT)
  if (types.code !== 0) throw new Error(types.stderr)
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], ROOT)
  const [packed] = JSON.parse(stdout) as [{ readonly filename: string }]
  await run('tar', ['-xzf', join(folder, packed.filename), '-C', installed, '--strip-components=1'], folder)
  mkdirSync(join(project, 'node_modules/@types'))
  for (const name of ['@electric-sql', '@types/node', 'undici-types'])
    symlinkSync(join(NODE_MODULES, name), join(project, 'node_modules', name))
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true }))
  cpSync(join(ROOT, 'examples/results.jsonl'), join(project, 'results.jsonl'))
  return project
}

type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string }

function run(program: string, args: readonly string[], cwd: string): Promise<Ran> {
  return new Promise(resolve => {
    execFile(program, args, { cwd, maxBuffer: 2 ** 26 }, (error: ExecFileException | null, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr })
    })
  })
}
