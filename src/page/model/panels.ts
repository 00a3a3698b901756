/** Splits a history into panels. The lines of one panel are compared on one chart. */

import type { HistoryAnswer, HistoryCommit } from '../../server/read/history-answer.js'
import { EVERY, MEAN, type Measure } from '../address.js'
import type { Unit } from '../format.js'
import type { Line } from './line.js'
import { lastFew } from './last-few.js'
import { meanLine } from './mean.js'
import { hasRatios, measured, type Better, type Measured, type MeasuredHistory } from './measure.js'
import { openModeId, openModeName } from './open-mode.js'

type Panel = { readonly id: string; readonly label: string }

export type Suite = {
  readonly commits: readonly HistoryCommit[]
  readonly unit: Unit
  readonly better: Better
  /** The unit of the lines' `beside`, or undefined when they have none. */
  readonly besideUnit: Unit | undefined
  /** Whether the suite can also be shown as compression ratios. */
  readonly hasRatios: boolean
  readonly panels: readonly Panel[]
  readonly more: boolean
  readonly lines: (panel: string, versus: string) => readonly Line[]
  /** All lines, to choose the one to compare with. */
  readonly choices: readonly Pick<Line, 'id' | 'name'>[]
}

type Series = Line & { readonly panel: string }

type PanelDimension = { readonly label: (value: string) => string; readonly hasMean: boolean }

/** Dimensions that define panels. The others name the lines. Operations have no mean, because reads and writes differ. */
const PANEL_DIMENSIONS: Readonly<Record<string, PanelDimension>> = {
  query_idx: { label: value => `Q${value}`, hasMean: true },
  op: { label: String, hasMean: false },
  threshold: { label: value => `≥ ${value}`, hasMean: true },
}
const NO_PANELS: PanelDimension = { label: String, hasMean: false }

export function suiteOf(history: HistoryAnswer, measure: Measure = 'value'): Suite {
  const { commits, series: all, dimensions, ...known } = withoutEmptyCommits(measured(history, measure))
  const series = seriesOf(dimensions, all)
  const { label, hasMean } = PANEL_DIMENSIONS[dimensions[panelPlace(dimensions)] ?? ''] ?? NO_PANELS
  const values = [...new Set(series.map(({ panel }) => panel))]
  const choices = [...new Map(series.map(({ id, name }) => [id, { id, name }])).values()]
  const ofValues = values.map(value => ({ id: value, label: label(value) }))
  const { unit, better, besideUnit, more } = known
  return {
    ...{ commits, unit, better, besideUnit, more, choices, hasRatios: hasRatios(history) },
    panels:
      values.length < 2
        ? ofValues
        : [...(hasMean ? [{ id: MEAN, label: 'Mean' }] : []), ...ofValues, { id: EVERY, label: 'All' }],
    lines: lastFew((panel, versus) => linesOf(versus === '' ? series : divided(series, versus), panel, label)),
  }
}

/** Removes commits at which no series of the group has a value. */
function withoutEmptyCommits(history: MeasuredHistory): MeasuredHistory {
  const places = history.commits
    .map((_, place) => place)
    .filter(place => history.series.some(({ values }) => typeof values[place] === 'number'))
  if (places.length === history.commits.length) return history
  return {
    ...history,
    commits: places.map(place => history.commits[place]!),
    series: history.series.map(({ key, values, beside }) => ({
      key,
      values: places.map(place => values[place] ?? null),
      ...(beside && { beside: places.map(place => beside[place] ?? null) }),
    })),
  }
}

function panelPlace(dimensions: readonly string[]): number {
  return dimensions.findIndex(name => name in PANEL_DIMENSIONS)
}

function seriesOf(dimensions: readonly string[], all: readonly Measured[]): readonly Series[] {
  const panelAt = panelPlace(dimensions)
  const modeAt = dimensions.indexOf('open_mode')
  const modes = new Set(all.map(({ key }) => key[modeAt] ?? ''))
  return all.map(({ key, values, beside }) => {
    const of = (name: string): string => key[dimensions.indexOf(name)] ?? ''
    const mode = of('open_mode')
    const base = key.filter((_, index) => index !== panelAt && index !== modeAt).join(' · ')
    return {
      ...{ id: base + openModeId(mode), name: base + openModeName(mode, modes) },
      ...{ panel: key[panelAt] ?? '', values, beside },
      ...{ family: of('format') || of('flavor'), variant: of('engine') || mode },
    }
  })
}

function linesOf(series: readonly Series[], panel: string, label: (value: string) => string): readonly Line[] {
  if (panel === EVERY) return series.map(one => ({ ...one, ...namedWithPanel(one, label) }))
  if (panel !== MEAN) return series.filter(one => one.panel === panel)
  const groups = new Map<string, Series[]>()
  for (const one of series) groups.set(one.id, [...(groups.get(one.id) ?? []), one])
  return [...groups.values()].map(meanLine)
}

function namedWithPanel({ panel, id, name }: Series, label: (value: string) => string): Pick<Line, 'id' | 'name'> {
  return { id: `${panel} · ${id}`, name: `${label(panel)} · ${name}` }
}

/** Each value divided by the value of `versus` in the same panel at the same commit. */
function divided(series: readonly Series[], versus: string): readonly Series[] {
  const bases = new Map(series.filter(({ id }) => id === versus).map(({ panel, values }) => [panel, values]))
  return series.map(one => ({
    ...one,
    values: one.values.map((value, at) => ratio(value, bases.get(one.panel)?.[at])),
  }))
}

function ratio(value: number | null, base: number | null | undefined): number | null {
  return value === null || typeof base !== 'number' || base <= 0 ? null : value / base
}
