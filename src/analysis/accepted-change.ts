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

/** Maximum number of characters of a note. */
export const MAX_NOTE = 2_000

/** An accepted change in JSON, as reports and the server show it. */
export type AcceptedChangeDocument = Omit<AcceptedChange, 'withdrawn'> & { readonly withdrawn: Act | null }

export function toAcceptedDocument({ withdrawn, ...accepted }: AcceptedChange): AcceptedChangeDocument {
  return { ...accepted, withdrawn: withdrawn ?? null }
}

/**
 * Whether the pattern matches whole words of the text. `*` stands for any characters. A regular expression would take far too long for
 * a pattern with many `*`.
 */
export function matchesPattern(text: string, pattern: string): boolean {
  const spaced = ` ${text} `
  // Each part is looked for after the end of the part before it. The earliest place is the best one.
  let end = 0
  for (const part of ` ${pattern} `.split('*')) {
    const start = spaced.indexOf(part, end)
    if (start === -1) return false
    end = start + part.length
  }
  return true
}

/** A row without an open mode is hot. */
const ALL_MODES = { ...OPEN_MODES, '': '(hot)' }

/** Whether a change was accepted for a series. */
export function appliesTo({ series, withdrawn }: AcceptedChange, identity: SeriesIdentity): boolean {
  if (withdrawn !== undefined) return false
  return series.length === 0 || series.some(pattern => matchesPattern(seriesName(identity, ALL_MODES), pattern))
}
