/** Every place that states SCHEMA_VERSION, and how to read it there. */

import { SCHEMA_VERSION } from './kinds.js'

export type Anchor = {
  /** Path in the package. */
  readonly file: string
  /** Its first group is the version. */
  readonly pattern: RegExp
  /** Only in a checkout: what is published has it compiled in. */
  readonly sourceOnly?: boolean
}

/** @see contract section 7 */
export const ANCHORS: readonly Anchor[] = [
  { file: 'src/contract/versions.ts', pattern: /export const SCHEMA_VERSION = (\d+)$/m, sourceOnly: true },
  { file: `schemas/v${SCHEMA_VERSION}/envelope.json`, pattern: /"schema_version": \{\s*"const": (\d+)/ },
  { file: `schemas/v${SCHEMA_VERSION}/record.json`, pattern: /"\$id": "[^"]*\/v(\d+)\/record\.json"/ },
  { file: 'README.md', pattern: /Contract version: \*\*(\d+)\*\*/ },
  { file: 'docs/contract.md', pattern: /`SCHEMA_VERSION` is \*\*(\d+)\*\*/ },
]

/** @param text of the anchor's file, or undefined when there is no such file @returns what is wrong */
export function brokenAnchor({ file, pattern }: Anchor, text: string | undefined): string | undefined {
  if (text === undefined) return `${file}: the file is missing, so its schema version cannot be checked`
  const version = pattern.exec(text)?.[1]
  if (version === undefined) return `${file}: states no schema version where one is expected`
  if (Number(version) !== SCHEMA_VERSION)
    return `${file}: states schema version ${version}, the program ${SCHEMA_VERSION}`
  return undefined
}
