/** The visible range of commits, by index. During a gesture its ends may lie between two commits. */

export type Reach = { readonly min: number; readonly max: number }

/** Minimum width of the range. */
const LEAST = 2

type Hold = {
  /** A position in commits, and the share of the width where it is to appear: 0 at the left edge, 1 at the right edge. */
  readonly place: number
  readonly share: number
  /** Index of the last commit. */
  readonly end: number
}

/** @param factor below 1 shows fewer commits */
export function zoomed({ min, max }: Reach, factor: number, { place, share, end }: Hold): Reach {
  const width = Math.min(end, Math.max(LEAST, (max - min) * factor))
  return within(place - width * share, width, end)
}

/** @param by number of commits to move to the right */
export function moved({ min, max }: Reach, by: number, end: number): Reach {
  return within(min + by, max - min, end)
}

/** Rounds both ends of the range to the nearest commit. */
export function settled({ min, max }: Reach): Reach {
  return { min: Math.round(min), max: Math.round(max) }
}

export function placeAt({ min, max }: Reach, share: number): number {
  return min + share * (max - min)
}

export function shareOf({ min, max }: Reach, place: number): number {
  return max === min ? 0.5 : (place - min) / (max - min)
}

function within(wanted: number, width: number, end: number): Reach {
  const min = Math.max(0, Math.min(end - width, wanted))
  return { min, max: min + width }
}
