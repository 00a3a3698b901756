/** Which commits are in sight: by their places, and between two of them while a gesture goes on. */

export type Reach = { readonly min: number; readonly max: number }

/** Closer than this there is nothing to compare. */
const LEAST = 2

type Hold = {
  /** A place, and where it is to be: 0 at the left edge, 1 at the right one. */
  readonly place: number
  readonly share: number
  /** The last commit's place. */
  readonly end: number
}

/** @param factor below one shows fewer commits */
export function zoomed({ min, max }: Reach, factor: number, { place, share, end }: Hold): Reach {
  const width = Math.min(end, Math.max(LEAST, (max - min) * factor))
  return within(place - width * share, width, end)
}

/** @param by so many commits to the right */
export function moved({ min, max }: Reach, by: number, end: number): Reach {
  return within(min + by, max - min, end)
}

/** With a commit at each edge. */
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
