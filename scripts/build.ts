/** Makes dist/: the program, cut into files by what is loaded together, and the library. `--if-stale` does nothing when dist/ is up to date. */

import { cp, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { build, type BuildOptions, type Metafile } from 'esbuild'
import { rollup, type Plugin } from 'rollup'
import { buildPage } from './build-page.js'
import { generate } from './generate.js'

const OUT = 'dist'
const UNFINISHED = `dist.${process.pid}`
const ENTRY = 'main'

/** PGlite finds its WASM files beside its own modules. pg asks for pg-native, which nobody needs. */
const OUTSIDE = ['@electric-sql/pglite', '@electric-sql/pglite-prepopulatedfs', 'pg-native']

/**
 * Files of dist/ for what most starts load, with the sources that decide their content. A file holds these sources and all that
 * they import statically, except for what an earlier file holds. Rollup divides the rest of the program by itself.
 */
const FILES: Readonly<Record<string, readonly string[]>> = {
  [ENTRY]: ['src/cli/start.ts'],
  'command-line': ['src/cli/main.ts'],
  records: ['src/cli/commands/validate/command.ts', 'src/cli/commands/validate/action.ts'],
  push: ['src/cli/commands/push/action.ts', 'src/http/retry.ts', 'src/http/wire-events.ts'],
  http: ['src/targets/server/sink.ts', 'src/targets/server/config.ts'],
  database: ['src/targets/database-sink.ts', 'src/database/migrate.ts'],
  postgres: [
    'src/targets/postgres/sink.ts',
    'src/targets/postgres/config.ts',
    'src/database/postgres/connect.ts',
    'src/database/postgres/dsn.ts',
  ],
  state: [
    'src/cli/options/open-state.ts',
    'src/delivery/durable/enqueue.ts',
    'src/delivery/durable/outbox-queue.ts',
    'src/storage/local/local.ts',
  ],
}

const PARTS = {
  entryPoints: { [ENTRY]: 'src/cli/start.ts' },
  outdir: '.',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minifySyntax: true,
  // pg looks for Cloudflare's runtime. On Node 20, which has no navigator, that look loads all of fetch (13 ms).
  define: { navigator: '{"userAgent":"Node.js"}' },
  external: OUTSIDE,
  legalComments: 'external',
  logLevel: 'warning',
} as const satisfies BuildOptions

if (process.argv.includes('--if-stale') && (await isFresh())) process.exit()
await generate()
try {
  await mkdir(UNFINISHED)
  await Promise.all([buildProgram(), buildLibrary(), buildWorker(), buildPage(`${UNFINISHED}/page`)])
  await cp('src/database/migrations', `${UNFINISHED}/migrations`, { recursive: true })
  await rm(OUT, { recursive: true, force: true })
  await rename(UNFINISHED, OUT)
} finally {
  await rm(UNFINISHED, { recursive: true, force: true })
}

/**
 * esbuild compiles the program and its packages into many small ES modules, one for each set of dynamic imports that share code.
 * Rollup joins those that are always loaded together and writes CommonJS, because each file and each ES module costs
 * a start about a millisecond (docs/adr/0020-lean-start.md).
 */
async function buildProgram(): Promise<void> {
  const { outputFiles, metafile } = await build({ ...PARTS, write: false, metafile: true })
  const texts = new Map(outputFiles.map(({ path, text }) => [basename(path), text]))
  const files = filesOfModules(metafile.outputs)
  const joined = await rollup({
    input: `${ENTRY}.js`,
    plugins: [fromMemory(texts)],
    preserveEntrySignatures: 'allow-extension',
    // esbuild has removed unused code.
    treeshake: false,
  })
  await joined.write({
    dir: UNFINISHED,
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name].cjs',
    manualChunks: module => files.get(module),
    onlyExplicitManualChunks: true,
    hoistTransitiveImports: false,
    dynamicImportInCjs: false,
    externalLiveBindings: false,
    freeze: false,
    interop: 'auto',
  })
  await writeFile(`${UNFINISHED}/LEGAL.txt`, legalTexts(texts))
}

/**
 * The library is compiled by itself, because the files of the program are cut for its start and contain parts of the command line.
 * Its files are in the same folder, because modules find the files of the package relative to themselves.
 */
async function buildLibrary(): Promise<void> {
  await build({
    ...PARTS,
    entryPoints: { index: 'src/index.ts' },
    outdir: UNFINISHED,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'library-[hash]',
    // Bundled CommonJS packages call `require` for the modules of Node.
    banner: { js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);` },
    legalComments: 'none',
  })
}

/** The worker thread of `serve` is a program of its own. */
async function buildWorker(): Promise<void> {
  await build({
    ...PARTS,
    entryPoints: { 'change-worker': 'src/server/read/change-worker.ts' },
    outdir: UNFINISHED,
    splitting: false,
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    legalComments: 'none',
  })
}

/** The file of dist/ for each module that `FILES` decides, by the module's path. */
function filesOfModules(outputs: Outputs): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  const add = (module: string, file: string): void => {
    if (files.has(module)) return
    files.set(module, file)
    for (const { path, kind } of outputs[module]?.imports ?? [])
      if (kind === 'import-statement' && path in outputs) add(path, file)
  }
  for (const [file, sources] of Object.entries(FILES))
    for (const source of sources) for (const module of modulesWith(source, outputs)) add(module, file)
  return files
}

type Outputs = Metafile['outputs']

/** The module with a source, and the one through which other files import it dynamically, if that is another one. */
function modulesWith(source: string, outputs: Outputs): readonly string[] {
  const found = Object.entries(outputs).filter(
    ([, { inputs, entryPoint }]) => source in inputs || entryPoint === source,
  )
  if (found.length === 0) throw new Error(`scripts/build.ts names ${source}, which is not part of the program`)
  return found.map(([path]) => path)
}

function fromMemory(texts: ReadonlyMap<string, string>): Plugin {
  return {
    name: 'from-memory',
    resolveId: id => (texts.has(basename(id)) ? basename(id) : { id, external: true }),
    load: id => texts.get(id),
    renderChunk: code => asciiOnly(code),
  }
}

/** V8 needs two bytes for each character of a script, and twice the memory, when one of them is not ASCII. */
function asciiOnly(script: string): string {
  const ascii = script.replace(/^ *\/\/.*$/gm, comment => comment.replace(/[^\x20-\x7e]/g, '-'))
  if (/[^\x00-\x7f]/.test(ascii)) throw new Error('a script of dist/ is not ASCII outside its line comments')
  return ascii
}

function legalTexts(texts: ReadonlyMap<string, string>): string {
  const notices = [...texts].filter(([name]) => name.endsWith('.LEGAL.txt')).map(([, text]) => text)
  return [...new Set(notices)].sort().join('\n')
}

/** `npx vortex-ingest` in a checkout makes npm prepare it again each time it is new to npm; that should cost nothing. */
async function isFresh(): Promise<boolean> {
  const built = await stat(`${OUT}/${ENTRY}.cjs`).catch(() => undefined)
  if (built === undefined) return false
  const inputs = await Promise.all(
    ['src', 'scripts'].map(folder => readdir(folder, { recursive: true, withFileTypes: true })),
  )
  const files = inputs.flat().filter(entry => entry.isFile() && !entry.parentPath.includes('generated'))
  const times = await Promise.all(files.map(entry => stat(join(entry.parentPath, entry.name))))
  return times.every(({ mtimeMs }) => mtimeMs < built.mtimeMs)
}
