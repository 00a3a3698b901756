/** Loads the history of one group at a time, and keeps the last one. */

import { fetchHistory } from '../api.js'
import type { Address, Measure } from '../address.js'
import type { DrawnSeries } from '../chart/chart-options.js'
import { chartGroup, type ChartedGroup } from '../model/charted-group.js'
import { chooseScale, heightRatio, relativeSeries, type ChosenScale } from '../model/scale.js'
import { findSeries } from '../model/series.js'
import { stylesFor } from '../model/style.js'
import { isDrawn, type ScaleChoice } from '../address.js'
import { currentTheme } from '../theme.js'
import type { Unit } from '../format.js'

type Loaded = { readonly key: string; readonly groups: Readonly<Record<Measure, ChartedGroup>> }

/** The lines of one panel as the address asks for them. */
export type PanelLines = ChosenScale & {
  /** All series of the panel. */
  readonly all: readonly DrawnSeries[]
  /** The series that match the search words. */
  readonly found: readonly DrawnSeries[]
  /** The matching series that are not hidden. */
  readonly drawn: readonly DrawnSeries[]
  readonly unit: Unit
  readonly besideUnit: Unit | undefined
}

export class GroupSource {
  #loaded: Loaded | undefined
  /** Series with their styles. The objects are reused while they look the same, so that what is cached for them stays valid. */
  #styled: { readonly key: string; readonly series: readonly DrawnSeries[] } = { key: '', series: [] }
  #loading = new AbortController()

  /** The loaded group in one measure; undefined when none is loaded. */
  group(measure: Measure): ChartedGroup | undefined {
    return this.#loaded?.groups[measure]
  }

  isLoaded(slug: string, address: Address): boolean {
    return this.#loaded?.key === keyOf(slug, address)
  }

  /**
   * Loads a group unless it is loaded already.
   * @returns false when another group was requested in the meantime
   * @throws the error of the request
   */
  async load(slug: string, address: Address): Promise<boolean> {
    if (this.isLoaded(slug, address)) return true
    this.#loading.abort()
    const { signal } = (this.#loading = new AbortController())
    try {
      const history = await fetchHistory(slug, { n: address.n, runs: address.spread, signal })
      const value = chartGroup(history)
      const ratio = value.hasRatios ? chartGroup(history, 'ratio') : value
      this.#loaded = { key: keyOf(slug, address), groups: { value, ratio } }
      this.#styled = { key: '', series: [] }
      return true
    } catch (error) {
      if (signal.aborted) return false
      this.#loaded = undefined
      throw error
    }
  }

  /** Forgets the group and aborts a request that is still running. */
  clear(): void {
    this.#loading.abort()
    this.#loaded = undefined
  }

  /** @param group one of the loaded group's measures */
  lines(group: ChartedGroup, address: Address): PanelLines {
    const { find, scale } = address
    const asMeasured = this.#styledSeries(group, address, scale)
    const found = findSeries(asMeasured, find)
    const drawn = found.filter(({ id }) => isDrawn(address, id))
    const chosen = chooseScale(scale, scale === 'relative' ? undefined : heightRatio(drawn))
    const unit: Unit = address.versus === '' ? group.unit : 'ratio'
    const units =
      scale === 'relative' ? ({ unit: 'ratio', besideUnit: unit } as const) : { unit, besideUnit: group.besideUnit }
    return { ...chosen, ...units, all: asMeasured, found, drawn }
  }

  #styledSeries(group: ChartedGroup, { panel, versus, measure }: Address, scale: ScaleChoice): readonly DrawnSeries[] {
    const isRelative = scale === 'relative'
    const key = JSON.stringify([panel, versus, measure, currentTheme(), isRelative])
    if (this.#styled.key !== key) {
      const series = group.series(panel, versus)
      this.#styled = { key, series: withStyles(isRelative ? series.map(relativeSeries) : series, group) }
    }
    return this.#styled.series
  }
}

function keyOf(slug: string, { n, spread }: Address): string {
  return JSON.stringify([slug, n, spread])
}

function withStyles(series: ReturnType<ChartedGroup['series']>, group: ChartedGroup): readonly DrawnSeries[] {
  const ownSeries = group.series(group.panels[0]?.id ?? '', '')
  const styleFor = stylesFor(series.length > ownSeries.length ? group.series('all', '') : ownSeries, currentTheme())
  return series.map(one => ({ ...one, style: styleFor(one) }))
}
