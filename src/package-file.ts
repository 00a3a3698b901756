/** Locates files of the package, and reads the version from its package.json. */

import { readFileSync } from 'node:fs'

/**
 * The URL of a file of the package.
 * @param path relative to the package root
 */
export function packageFile(path: string): URL {
  return new URL(path, ROOT)
}

/** The package root. Both src/package-file.ts and the files of dist/ are one level below it. */
const ROOT = new URL('../', import.meta.url)

export function packageVersion(): string {
  return packageJson().version
}

/** The packages of the embedded engine, by name, with the versions that this program was tested with. */
export function optionalPackages(): Readonly<Record<string, string>> {
  return packageJson().optionalDependencies
}

let knownUserAgent: string | undefined

/** The `User-Agent` of all requests: `vortex-ingest/1.2.3`. The file is read only once, because every request needs it. */
export function userAgent(): string {
  return (knownUserAgent ??= `vortex-ingest/${packageVersion()}`)
}

type PackageJson = { readonly version: string; readonly optionalDependencies: Readonly<Record<string, string>> }

function packageJson(): PackageJson {
  return JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as PackageJson
}
