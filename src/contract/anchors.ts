/** Every place that states a contract version, and how to read it there. */

import { goldenFile } from './golden.js'
import { CONTRACTS, SCHEMA_VERSION } from './kinds.js'

export type Anchor = {
  /** Path in the package. */
  readonly file: string
  /** Its first group is the version. */
  readonly pattern: RegExp
  /** The contract version that the file must state. */
  readonly version: number
  /** Only in a checkout: the published package has this file compiled in. */
  readonly sourceOnly?: boolean
}

/** Files that state the newest version, and change when a version is added. */
const NEWEST: readonly Omit<Anchor, 'version'>[] = [
  { file: 'src/contract/versions.ts', pattern: /export const SCHEMA_VERSION = (\d+)$/m, sourceOnly: true },
  { file: 'README.md', pattern: /Contract version: \*\*(\d+)\*\*/ },
  { file: 'docs/contract.md', pattern: /`SCHEMA_VERSION` is \*\*(\d+)\*\*/ },
]

/** Files that each version has for itself. */
function anchorsOfVersion(version: number): readonly Anchor[] {
  return [
    { version, file: `schemas/v${version}/envelope.json`, pattern: /"schema_version": \{\s*"const": (\d+)/ },
    { version, file: `schemas/v${version}/record.json`, pattern: /"\$id": "[^"]*\/v(\d+)\/record\.json"/ },
    { version, file: goldenFile(version), pattern: /"contract_version":\s*(\d+)/ },
  ]
}

/** @see contract section 7 */
export const ANCHORS: readonly Anchor[] = [
  ...[...CONTRACTS.keys()].flatMap(anchorsOfVersion),
  ...NEWEST.map(anchor => ({ ...anchor, version: SCHEMA_VERSION })),
]

/** @param text of the anchor's file, or undefined when there is no such file @returns what is wrong */
export function brokenAnchor({ file, pattern, version }: Anchor, text: string | undefined): string | undefined {
  if (text === undefined) return `${file}: the file is missing, so its contract version cannot be checked`
  const stated = pattern.exec(text)?.[1]
  if (stated === undefined) return `${file}: states no contract version where ${version} is expected`
  if (Number(stated) !== version) return `${file}: states contract version ${stated} where ${version} is expected`
  return undefined
}
