/** Programs that a benchmark compares with ours. They are bundled like ours, so that start-up times are comparable. */

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/**
 * @param name of a file in this folder
 * @returns the path of its bundle
 */
export async function bundled(name: 'baseline' | 'baseline-http' | 'json-parse', folder: string): Promise<string> {
  const outfile = join(folder, `${name}.mjs`)
  await build({
    entryPoints: [fileURLToPath(new URL(`${name}.ts`, import.meta.url))],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minifySyntax: true,
    external: ['pg-native'],
    banner: {
      js: `import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);`,
    },
    logLevel: 'warning',
  })
  return outfile
}
