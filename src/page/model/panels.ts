/** A history cut into panels, each with the lines that are compared on one chart. */

import type { HistoryAnswer, HistoryCommit } from '../../server/read/history-answer.js'
import { EVERY, MEAN } from '../address.js'
import type { Line, Values } from './line.js'
import { lastFew } from './last-few.js'
import { meanLine } from './mean.js'

export type Panel = { readonly id: string; readonly label: string }

export type Suite = {
  readonly commits: readonly HistoryCommit[]
  readonly unit: HistoryAnswer['unit']
  readonly panels: readonly Panel[]
  readonly more: boolean
  readonly lines: (panel: string, versus: string) => readonly Line[]
  /** All that occur, for the choice of what to compare with. */
  readonly lineNames: readonly string[]
}

type Series = Line & { readonly panel: string }

type PanelDimension = { readonly label: (value: string) => string; readonly hasMean: boolean }

/** The dimension that panels are told apart by; what is left names the lines. To write and to read have no mean. */
const PANEL_DIMENSIONS: Readonly<Record<string, PanelDimension>> = {
  query_idx: { label: value => `Q${value}`, hasMean: true },
  op: { label: String, hasMean: false },
  threshold: { label: value => `≥ ${value}`, hasMean: true },
}
const NO_PANELS: PanelDimension = { label: String, hasMean: false }

export function suiteOf(history: HistoryAnswer): Suite {
  const measured = withoutEmptyCommits(history)
  const place = measured.dimensions.findIndex(name => name in PANEL_DIMENSIONS)
  const { label, hasMean } = PANEL_DIMENSIONS[measured.dimensions[place] ?? ''] ?? NO_PANELS
  const series = measured.series.map(({ key, values }) => seriesOf(measured.dimensions, key, values, place))
  const values = [...new Set(series.map(({ panel }) => panel))]
  const lineNames = [...new Set(series.map(({ id }) => id))]
  const ofValues = values.map(value => ({ id: value, label: label(value) }))
  return {
    ...{ commits: measured.commits, unit: measured.unit, more: measured.more, lineNames },
    panels:
      values.length < 2
        ? ofValues
        : [...(hasMean ? [{ id: MEAN, label: 'Mean' }] : []), ...ofValues, { id: EVERY, label: 'All' }],
    lines: lastFew((panel, versus) => linesOf(versus === '' ? series : divided(series, versus), panel, label)),
  }
}

/** Suites are not measured at every commit. */
function withoutEmptyCommits(history: HistoryAnswer): HistoryAnswer {
  const places = history.commits
    .map((_, place) => place)
    .filter(place => history.series.some(({ values }) => typeof values[place] === 'number'))
  if (places.length === history.commits.length) return history
  return {
    ...history,
    commits: places.map(place => history.commits[place]!),
    series: history.series.map(({ key, values }) => ({ key, values: places.map(place => values[place] ?? null) })),
  }
}

function seriesOf(dimensions: readonly string[], key: readonly string[], values: Values, place: number): Series {
  const of = (name: string): string => key[dimensions.indexOf(name)] ?? ''
  const id = key.filter((_, index) => index !== place).join(' · ')
  return {
    ...{ id, name: id, panel: place === -1 ? id : (key[place] ?? ''), values },
    ...{ family: of('format') || of('flavor'), variant: of('engine') },
    ...(place === -1 && { panel: '' }),
  }
}

function linesOf(series: readonly Series[], panel: string, label: (value: string) => string): readonly Line[] {
  if (panel === EVERY) return series.map(one => ({ ...one, ...namedWithPanel(one, label) }))
  if (panel !== MEAN) return series.filter(one => one.panel === panel)
  const groups = new Map<string, Series[]>()
  for (const one of series) groups.set(one.id, [...(groups.get(one.id) ?? []), one])
  return [...groups.values()].map(meanLine)
}

function namedWithPanel({ panel, id }: Series, label: (value: string) => string): Pick<Line, 'id' | 'name'> {
  return { id: `${panel} · ${id}`, name: `${label(panel)} · ${id}` }
}

/** Each value as a multiple of what `versus` measured in the same panel at the same commit. */
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
