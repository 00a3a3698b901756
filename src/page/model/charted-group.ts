/** Splits a history into panels. The series of one panel are compared on one chart. */

import type { HistoryAnswer, HistoryCommit } from '../../server/read/answers.js'
import { EVERY, MEAN, type Measure } from '../address.js'
import type { Unit } from '../format.js'
import type { Series, Values } from './series.js'
import { meanSeries } from './values.js'
import { hasRatios, inMeasure, type Better, type MeasuredSeries, type MeasuredHistory } from './measure.js'

type Panel = { readonly id: string; readonly label: string }

export type ChartedGroup = {
  readonly commits: readonly HistoryCommit[]
  readonly unit: Unit
  readonly better: Better
  /** The unit of the series' `beside`, or undefined when they have none. */
  readonly besideUnit: Unit | undefined
  /** Whether the group can also be shown as compression ratios. */
  readonly hasRatios: boolean
  readonly panels: readonly Panel[]
  readonly more: boolean
  readonly series: (panel: string, versus: string) => readonly Series[]
  /** All series, to choose the one to compare with. */
  readonly choices: readonly Pick<Series, 'id' | 'name'>[]
}

type PanelSeries = Series & { readonly panel: string }

type PanelDimension = { readonly label: (value: string) => string; readonly hasMean: boolean }

/** Dimensions that define panels. The others name the series. Operations have no mean, because reads and writes differ. */
const PANEL_DIMENSIONS: Readonly<Record<string, PanelDimension>> = {
  query_idx: { label: value => `Q${value}`, hasMean: true },
  op: { label: String, hasMean: false },
  threshold: { label: value => `≥ ${value}`, hasMean: true },
}
const NO_PANELS: PanelDimension = { label: String, hasMean: false }

export function chartGroup(history: HistoryAnswer, measure: Measure = 'value'): ChartedGroup {
  const { commits, series: all, dimensions, ...known } = withoutEmptyCommits(inMeasure(history, measure))
  const series = toPanelSeries(dimensions, all)
  const { label, hasMean } = PANEL_DIMENSIONS[dimensions[panelIndex(dimensions)] ?? ''] ?? NO_PANELS
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
    series: cacheLast((panel, versus) => seriesInPanel(versus === '' ? series : divided(series, versus), panel, label)),
  }
}

/** Removes commits at which no series of the group has a value. */
function withoutEmptyCommits(history: MeasuredHistory): MeasuredHistory {
  const indexes = history.commits
    .map((_, index) => index)
    .filter(index => history.series.some(({ values }) => typeof values[index] === 'number'))
  if (indexes.length === history.commits.length) return history
  const pick = (values: Values): Values => indexes.map(index => values[index] ?? null)
  return {
    ...history,
    commits: indexes.map(index => history.commits[index]!),
    series: history.series.map(({ key, values, beside, spread }) => ({
      ...{ key, values: pick(values) },
      ...(beside && { beside: pick(beside) }),
      ...(spread && { spread: { low: pick(spread.low), high: pick(spread.high) } }),
    })),
  }
}

/** The panel and the id of a series, which addresses name. */
export function seriesPlace(
  dimensions: readonly string[],
  key: readonly string[],
): { readonly panel: string; readonly panelLabel: string; readonly id: string } {
  const panelAt = panelIndex(dimensions)
  const modeAt = dimensions.indexOf('open_mode')
  const base = key.filter((_, index) => index !== panelAt && index !== modeAt).join(' · ')
  const panel = key[panelAt] ?? ''
  const { label } = PANEL_DIMENSIONS[dimensions[panelAt] ?? ''] ?? NO_PANELS
  return { panel, panelLabel: label(panel), id: base + openModeId(key[modeAt] ?? '') }
}

function panelIndex(dimensions: readonly string[]): number {
  return dimensions.findIndex(name => name in PANEL_DIMENSIONS)
}

function toPanelSeries(dimensions: readonly string[], all: readonly MeasuredSeries[]): readonly PanelSeries[] {
  const panelAt = panelIndex(dimensions)
  const modeAt = dimensions.indexOf('open_mode')
  const modes = new Set(all.map(({ key }) => key[modeAt] ?? ''))
  return all.map(({ key, values, beside, spread }) => {
    const dimension = (name: string): string => key[dimensions.indexOf(name)] ?? ''
    const mode = dimension('open_mode')
    const base = key.filter((_, index) => index !== panelAt && index !== modeAt).join(' · ')
    return {
      ...{ id: base + openModeId(mode), name: base + openModeName(mode, modes) },
      ...{ panel: key[panelAt] ?? '', values, beside, spread },
      ...{ family: dimension('format') || dimension('flavor'), variant: dimension('engine') || mode },
    }
  })
}

function seriesInPanel(
  series: readonly PanelSeries[],
  panel: string,
  label: (value: string) => string,
): readonly Series[] {
  if (panel === EVERY) return series.map(one => ({ ...one, ...namedWithPanel(one, label) }))
  if (panel !== MEAN) return series.filter(one => one.panel === panel)
  const groups = new Map<string, PanelSeries[]>()
  for (const one of series) groups.set(one.id, [...(groups.get(one.id) ?? []), one])
  return [...groups.values()].map(meanSeries)
}

function namedWithPanel(
  { panel, id, name }: PanelSeries,
  label: (value: string) => string,
): Pick<Series, 'id' | 'name'> {
  return { id: `${panel} · ${id}`, name: `${label(panel)} · ${name}` }
}

/** Each value divided by the value of `versus` in the same panel at the same commit. */
function divided(series: readonly PanelSeries[], versus: string): readonly PanelSeries[] {
  const bases = new Map(series.filter(({ id }) => id === versus).map(({ panel, values }) => [panel, values]))
  return series.map(one => ({
    ...one,
    values: one.values.map((value, at) => ratio(value, bases.get(one.panel)?.[at])),
    spread: undefined,
  }))
}

function ratio(value: number | null, base: number | null | undefined): number | null {
  return value === null || typeof base !== 'number' || base <= 0 ? null : value / base
}

/** Names of the open modes of random access: the file stayed open (hot) or was opened each time (cold). */
const OPEN_MODES: Readonly<Record<string, string>> = { cached: 'hot', reopen: 'cold' }
const HOT = 'cached'

/** The end of a series id. Hot series have none, so that links from before contract version 3 still work. */
function openModeId(mode: string): string {
  return mode === '' || mode === HOT ? '' : ` · ${OPEN_MODES[mode] ?? mode}`
}

/**
 * The end of a series name, such as ` (cold)`. Empty when all series of the group are hot.
 * @param all the modes of the group
 */
function openModeName(mode: string, all: ReadonlySet<string>): string {
  return mode === '' || [...all].every(other => other === HOT) ? '' : ` (${OPEN_MODES[mode] ?? mode})`
}

const CACHED = 4

/** @returns `find` with a cache of its last CACHED results */
export function cacheLast<T>(find: (one: string, other: string) => T): (one: string, other: string) => T {
  const known = new Map<string, T>()
  return (one, other) => {
    const key = JSON.stringify([one, other])
    const found = known.get(key) ?? find(one, other)
    // Deleted and inserted again, so that the map is ordered by last use.
    known.delete(key)
    known.set(key, found)
    for (const oldest of known.keys()) if (known.size > CACHED) known.delete(oldest)
    return found
  }
}
