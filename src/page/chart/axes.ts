/** The axes of a chart: values on the left, commit times at the bottom. */

import type uPlot from 'uplot'
import type { Scale } from '../address.js'
import { formatAxisTime, formatTick } from '../format.js'
import { ticks } from '../model/visible-range.js'
import type { Theme } from '../theme.js'
import type { ChartOptions } from './chart-options.js'

const FONT = '12px system-ui, sans-serif'
const COLOURS = {
  light: { text: '#57606a', grid: '#e6e8eb' },
  dark: { text: '#a3acb8', grid: '#2b323b' },
} as const satisfies Readonly<Record<Theme, object>>

export function axisColours(theme: Theme): (typeof COLOURS)[Theme] {
  return COLOURS[theme]
}

export function axes({ commits, unit, scale, theme }: ChartOptions): uPlot.Axis[] {
  const { text, grid } = axisColours(theme)
  const common = { stroke: text, font: FONT, ticks: { show: false }, grid: { stroke: grid, width: 1 } }
  const values: uPlot.Axis = {
    ...common,
    size: 72,
    gap: 8,
    splits: (plot, _axis, min, max) => ticks(min, max, scale, plot.height / 60),
    filter: (_plot, splits) => splits,
    values: (_plot, splits) => splits.map(value => formatTick(value, unit)),
  }
  const times: uPlot.Axis = {
    ...common,
    // Size and gap place the first time label below the lowest value label and not beside it.
    size: 38,
    gap: 12,
    grid: { show: false },
    splits: (plot, _axis, min, max) => wholeTicks(min, max, plot.width / 130),
    values: (_plot, splits) => {
      const timeOf = (at: number | undefined): number => new Date(commits[at ?? 0]?.timestamp ?? 0).getTime()
      const spanMs = timeOf(splits.at(-1)) - timeOf(splits[0])
      return splits.map(at => formatAxisTime(commits[at]?.timestamp ?? '', spanMs))
    },
  }
  return [times, values]
}

function wholeTicks(min: number, max: number, wanted: number): number[] {
  return ticks(min, max, 'linear', wanted).filter(Number.isInteger)
}

/** Adds a margin to the measured range, so that no series runs along the edge. */
export function valueRange(min: number | null, max: number | null, scale: Scale): [number, number] {
  if (min === null || max === null) return scale === 'log' ? [1, 10] : [0, 1]
  if (scale === 'log') return [min / 1.15, max * 1.15]
  const room = (max - min) * 0.08 || Math.abs(max) * 0.1 || 1
  // The margin extends below zero only when there are negative values.
  return [min >= 0 ? Math.max(0, min - room) : min - room, max + room]
}
