/** Lists the files that state a contract version, and how to read the version from each. */

import { goldenFile } from './golden.js'
import { CONTRACTS, SCHEMA_VERSION } from './kinds.js'

export type Anchor = {
  /** Path relative to the package root. */
  readonly file: string
  /** A pattern whose first group is the version. */
  readonly pattern: RegExp
  /** The contract version that the file must state. */
  readonly version: number
  /** Only checked in a checkout, because the published package contains this file in compiled form. */
  readonly sourceOnly?: boolean
}

/** Files that state the newest version and must be updated when a version is added. */
const NEWEST: readonly Omit<Anchor, 'version'>[] = [
  { file: 'src/contract/versions.ts', pattern: /export const SCHEMA_VERSION = (\d+)$/m, sourceOnly: true },
  { file: 'README.md', pattern: /Contract version: \*\*(\d+)\*\*/ },
  { file: 'docs/contract.md', pattern: /`SCHEMA_VERSION` is \*\*(\d+)\*\*/ },
]

/** Files that exist once per version. */
function anchorsOfVersion(version: number): readonly Anchor[] {
  return [
    { version, file: `schemas/v${version}/envelope.json`, pattern: /"schema_version": \{\s*"const": (\d+)/ },
    { version, file: `schemas/v${version}/record.json`, pattern: /"\$id": "[^"]*\/v(\d+)\/record\.json"/ },
    { version, file: goldenFile(version), pattern: /"contract_version":\s*(\d+)/ },
  ]
}

/**
 * Every place that states a contract version.
 * @see contract section 7
 */
export const ANCHORS: readonly Anchor[] = [
  ...[...CONTRACTS.keys()].flatMap(anchorsOfVersion),
  ...NEWEST.map(anchor => ({ ...anchor, version: SCHEMA_VERSION })),
]

/**
 * Checks one anchor.
 * @param text the text of the anchor's file; undefined when the file does not exist
 * @returns a message about the problem; undefined when the version is right
 */
export function brokenAnchor({ file, pattern, version }: Anchor, text: string | undefined): string | undefined {
  if (text === undefined) return `${file}: the file is missing, so its contract version cannot be checked`
  const stated = pattern.exec(text)?.[1]
  if (stated === undefined) return `${file}: states no contract version where ${version} is expected`
  if (Number(stated) !== version) return `${file}: states contract version ${stated} where ${version} is expected`
  return undefined
}
