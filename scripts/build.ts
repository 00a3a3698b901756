/** Makes dist/: one file for what every command needs, more for what only some do. `--if-stale` does only what is due. */

import { cp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { build, type Metafile, type OnResolveArgs, type OnResolveResult } from 'esbuild'
import { generate } from './generate.js'

const OUT = 'dist'
const UNFINISHED = `dist.${process.pid}`
const MAIN = `${UNFINISHED}/main.js`
const START = `${UNFINISHED}/start.js`

if (process.argv.includes('--if-stale') && (await isFresh())) process.exit()
await generate()
try {
  await bundle()
  await cp('src/sink/migrations', `${UNFINISHED}/migrations`, { recursive: true })
  await rm(OUT, { recursive: true, force: true })
  await rename(UNFINISHED, OUT)
} finally {
  await rm(UNFINISHED, { recursive: true, force: true })
}

async function bundle(): Promise<void> {
  const { metafile } = await build({
    entryPoints: { main: 'src/cli/main.ts' },
    outdir: UNFINISHED,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minifySyntax: true,
    // Beside the entry: modules look for their files (migrations, schemas) relative to themselves.
    chunkNames: '[name]-[hash]',
    // pg looks for Cloudflare's runtime; on Node 20, which has no navigator, that look loads all of fetch (13 ms).
    define: { navigator: '{"userAgent":"Node.js"}' },
    legalComments: 'linked',
    // PGlite finds its WASM files beside its own modules.
    external: ['@electric-sql/pglite', '@electric-sql/pglite-prepopulatedfs', 'pg-native'],
    // Some CommonJS packages call require() for what Node itself has.
    banner: {
      js: `import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);`,
    },
    metafile: true,
    logLevel: 'warning',
  })
  await joinStart(metafile.outputs)
}

/**
 * Code that several parts share is cut into a file for each set of parts, and every file costs half a millisecond of
 * each start. What the start loads becomes one file; those it was made of stay as doors to it, for the parts loaded later.
 */
async function joinStart(outputs: Metafile['outputs']): Promise<void> {
  const doors = [...loadedAtStart(outputs)].map((file, index) => {
    const names = outputs[file]!.exports.map(name => ({ name, inside: `part${index}_${name}` }))
    return { file, names, from: `./${basename(file)}` }
  })
  const contents = doors.map(({ names, from }) =>
    reexport(
      names.map(({ name, inside }) => [name, inside]),
      from,
    ),
  )
  await build({
    stdin: { contents: contents.join('\n'), resolveDir: UNFINISHED },
    outfile: START,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minifySyntax: true,
    legalComments: 'none',
    packages: 'external',
    plugins: [{ name: 'later', setup: loading => loading.onResolve({ filter: /^\./ }, later) }],
    logLevel: 'warning',
  })
  for (const { file, names } of doors)
    await writeFile(
      file,
      reexport(
        names.map(({ name, inside }) => [inside, name]),
        './start.js',
      ),
    )
}

/** Parts that are loaded when they are needed stay files of their own. */
function later({ kind, path }: OnResolveArgs): OnResolveResult | undefined {
  return kind === 'dynamic-import' ? { path, external: true } : undefined
}

function loadedAtStart(outputs: Metafile['outputs']): ReadonlySet<string> {
  const files = new Set([MAIN])
  for (const file of files)
    for (const { path, kind } of outputs[file]!.imports)
      if (kind === 'import-statement' && path in outputs) files.add(path)
  return files
}

function reexport(names: readonly (readonly [string, string])[], from: string): string {
  return `export { ${names.map(([name, as]) => `${name} as ${as}`).join(', ')} } from '${from}'\n`
}

/** `npx vortex-ingest` in a checkout makes npm prepare it again each time it is new to npm; that should cost nothing. */
async function isFresh(): Promise<boolean> {
  const built = await stat(`${OUT}/main.js`).catch(() => undefined)
  if (built === undefined) return false
  const inputs = await Promise.all(
    ['src', 'scripts'].map(folder => readdir(folder, { recursive: true, withFileTypes: true })),
  )
  const files = inputs.flat().filter(entry => entry.isFile() && !entry.parentPath.includes('generated'))
  const times = await Promise.all(files.map(entry => stat(join(entry.parentPath, entry.name))))
  return times.every(({ mtimeMs }) => mtimeMs < built.mtimeMs)
}
