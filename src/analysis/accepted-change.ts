/** Changes that somebody has accepted as known, and the patterns of the series that they apply to. */

import { OPEN_MODES, seriesName, type SeriesIdentity } from './series.js'

/** The person or program that did something, and the time in RFC 3339. */
export type Act = { readonly by: string; readonly at: string }

export type AcceptedChange = Act & {
  readonly id: string
  /** Full id of the commit that made the change. */
  readonly commit: string
  /** Patterns of the series that it applies to; empty for all series. */
  readonly series: readonly string[]
  readonly note: string
  /** Undefined while the change counts as accepted. */
  readonly withdrawn: Act | undefined
}

/**
 * Whether the pattern matches whole words of the text. `*` stands for any characters. Takes time proportional to the text, because
 * patterns are stored by anybody who may accept changes, and a regular expression could take hours.
 */
export function matchesPattern(text: string, pattern: string): boolean {
  const words = ` ${text} `
  let end = 0
  return ` ${pattern} `.split('*').every(part => {
    const at = words.indexOf(part, end)
    end = at + part.length
    return at !== -1
  })
}

/** A row without an open mode is hot. */
const ALL_MODES = { ...OPEN_MODES, '': '(hot)' }

/** Whether a change was accepted for a series. */
export function appliesTo({ series, withdrawn }: AcceptedChange, identity: SeriesIdentity): boolean {
  if (withdrawn !== undefined) return false
  return series.length === 0 || series.some(pattern => matchesPattern(seriesName(identity, ALL_MODES), pattern))
}
