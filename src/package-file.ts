/** Files that come with the package, and the version that its package.json states. */

import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'

/** @param path relative to the package's root */
export function packageFile(path: string): URL {
  return new URL(path, ROOT)
}

/** Both src/package-file.ts and dist/program.cjs lie one level below the root. */
const ROOT = new URL('../', import.meta.url)

export async function packageVersion(): Promise<string> {
  return versionIn(await readFile(packageFile('package.json'), 'utf8'))
}

let knownUserAgent: string | undefined

/** The `User-Agent` of all requests: `vortex-ingest/1.2.3`. The file is read only once, because every request needs it. */
export function userAgent(): string {
  return (knownUserAgent ??= `vortex-ingest/${versionIn(readFileSync(packageFile('package.json'), 'utf8'))}`)
}

function versionIn(text: string): string {
  return (JSON.parse(text) as { version: string }).version
}
