/** Makes dist/: one file for what every command needs, more for what only some do. `--if-stale` does only what is due. */

import { cp, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { generate } from './generate.js'

const OUT = 'dist'
const UNFINISHED = `dist.${process.pid}`

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
  await build({
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
    logLevel: 'warning',
  })
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
