/** Files that come with the package, and the version that its package.json states. */

import { readFileSync } from 'node:fs'

/** @param path relative to the package's root */
export function packageFile(path: string): URL {
  return new URL(path, ROOT)
}

/** Both src/package-file.ts and the files of dist/ lie one level below the root. */
const ROOT = new URL('../', import.meta.url)

export function packageVersion(): string {
  return packageJson().version
}

/** The packages of the embedded engine, by name, with the versions that this program was tested with. */
export function optionalPackages(): Readonly<Record<string, string>> {
  return packageJson().optionalDependencies
}

let knownUserAgent: string | undefined

/** The name of this program in its requests: `vortex-ingest/1.2.3`. Read once, because it is asked for by every request. */
export function userAgent(): string {
  return (knownUserAgent ??= `vortex-ingest/${packageVersion()}`)
}

type PackageJson = { readonly version: string; readonly optionalDependencies: Readonly<Record<string, string>> }

function packageJson(): PackageJson {
  return JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as PackageJson
}
