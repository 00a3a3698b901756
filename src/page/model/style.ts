/** The style of a line: the colour shows its format, the dashes its engine. Vortex lines stand out. */

import type { Line } from './line.js'

export type Style = { readonly colour: string; readonly dash: readonly number[]; readonly width: number }

type Palette = { readonly vortex: readonly string[]; readonly others: readonly string[] }

/** Every colour has a contrast of at least 3 : 1 to its background. */
const PALETTES: Readonly<Record<'light' | 'dark', Palette>> = {
  light: {
    vortex: ['#1d4ed8', '#0d8a7d', '#7c3aed', '#0878a8'],
    others: ['#c2410c', '#8a6d00', '#be185d', '#6b7280', '#7f1d1d'],
  },
  dark: {
    vortex: ['#6ea8fe', '#34d0ba', '#b79cff', '#4cc3f0'],
    others: ['#fb923c', '#e0bd3a', '#f472b6', '#9ca3af', '#f08a8a'],
  },
}

const DASHES: readonly (readonly number[])[] = [[], [7, 4], [2, 3], [10, 3, 2, 3]]

/** With more lines than this, readers distinguish lines with the pointer and not by their style. */
const CROWD = 60

export function isVortex({ family }: Pick<Line, 'family'>): boolean {
  return family.startsWith('vortex')
}

/** @param all the lines of the group, so that a line looks the same on each of its panels */
export function stylesFor(all: readonly Line[], theme: 'light' | 'dark'): (line: Line) => Style {
  const families = [...new Set(all.map(({ family }) => family))].sort()
  const variants = [...new Set(all.map(({ variant }) => variant))].sort()
  const vortex = families.filter(family => isVortex({ family }))
  const others = families.filter(family => !isVortex({ family }))
  const palette = PALETTES[theme]
  return line => {
    const [colours, place] = isVortex(line)
      ? [palette.vortex, vortex.indexOf(line.family)]
      : [palette.others, others.indexOf(line.family)]
    const width = all.length > CROWD ? 1 : isVortex(line) ? 2 : 1.5
    const dash = all.length > CROWD ? [] : DASHES[variants.indexOf(line.variant) % DASHES.length]!
    return { colour: colours[place % colours.length]!, dash, width }
  }
}
