/** The style of a series: the colour shows its format, the dashes its engine. Vortex series stand out. */

import type { Series } from './series.js'

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

/** With more series than this, readers distinguish series with the pointer and not by their style. */
const CROWD = 60

export function isVortex({ family }: Pick<Series, 'family'>): boolean {
  return family.startsWith('vortex')
}

/** @param all the series of the group, so that a series looks the same on each of its panels */
export function stylesFor(all: readonly Series[], theme: 'light' | 'dark'): (one: Series) => Style {
  const families = [...new Set(all.map(({ family }) => family))].sort()
  const variants = [...new Set(all.map(({ variant }) => variant))].sort()
  const vortex = families.filter(family => isVortex({ family }))
  const others = families.filter(family => !isVortex({ family }))
  const palette = PALETTES[theme]
  return one => {
    const [colours, index] = isVortex(one)
      ? [palette.vortex, vortex.indexOf(one.family)]
      : [palette.others, others.indexOf(one.family)]
    const width = all.length > CROWD ? 1 : isVortex(one) ? 2 : 1.5
    const dash = all.length > CROWD ? [] : DASHES[variants.indexOf(one.variant) % DASHES.length]!
    return { colour: colours[index % colours.length]!, dash, width }
  }
}
