/** The ways to treat personal data before it is stored or sent. */

/**
 * `keep` changes nothing. `mask` replaces personal data by a keyed hash, so that equal values stay equal. `drop` removes it.
 * From the least to the most strict.
 */
export const PII_MODES = ['keep', 'mask', 'drop'] as const

export type PiiMode = (typeof PII_MODES)[number]

/** The mode that leaves less personal data. Undefined means `keep`. */
export function stricterMode(one: PiiMode = 'keep', other: PiiMode = 'keep'): PiiMode {
  return PII_MODES.indexOf(one) > PII_MODES.indexOf(other) ? one : other
}

/** The mode that leaves more personal data, and so says what is certain of both. Undefined means `keep`. */
export function weakerMode(one: PiiMode = 'keep', other: PiiMode = 'keep'): PiiMode {
  return stricterMode(one, other) === one ? other : one
}
