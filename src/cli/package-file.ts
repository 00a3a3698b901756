/** Files that come with the package, wherever this module ended up in it. */

import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'

/** @param path relative to the package's root, as src/cli/package-file.ts and dist/program.cjs see it */
export function packageFile(path: string): URL {
  return new URL(path, ROOT)
}

// The bundle lies one level below the root, this source two. What is not found is an installation without its parts.
const ROOT = ['../', '../../']
  .map(up => new URL(up, import.meta.url))
  .find(root => existsSync(new URL('package.json', root)))

export async function packageVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(packageFile('package.json'), 'utf8')) as { version: string }
  return version
}
