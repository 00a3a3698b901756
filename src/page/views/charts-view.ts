/** The view of one group: its panels, chart and table. */

import { fetchHistory } from '../api.js'
import { type Navigation } from '../navigation.js'
import { EVERY, MEAN, START, type Address, type Measure } from '../address.js'
import { pageElement } from '../element.js'
import { formatCount, shortSha, type Unit } from '../format.js'
import type { DrawnSeries, Span } from '../chart/chart-options.js'
import { explainEmptyChart, findSeries } from '../model/series.js'
import { chartGroup, type ChartedGroup } from '../model/charted-group.js'
import { stylesFor } from '../model/style.js'
import { currentTheme } from '../theme.js'
import { ChartPanel } from './chart-panel.js'
import { Controls } from './controls.js'
import { SeriesTable } from './series-table.js'
import { showError, showNotice, hideNotice } from './notice.js'

export class ChartsView {
  readonly #controls: Controls
  readonly #panel: ChartPanel
  readonly #table: SeriesTable
  #address: Address = START
  #loaded: { readonly key: string; readonly groups: Readonly<Record<Measure, ChartedGroup>> } | undefined
  /** Series with their styles. The objects are reused while they look the same, so that what is cached for them stays valid. */
  #styled: { readonly key: string; readonly series: readonly DrawnSeries[] } = { key: '', series: [] }
  #loading = new AbortController()

  constructor(private readonly navigation: Navigation) {
    this.#controls = new Controls(navigation)
    this.#panel = new ChartPanel({ onPoint: at => this.#showValues(at), onSpan: span => this.#noteSpan(span) })
    this.#table = new SeriesTable({
      onHide: hide => navigation.adjust({ hide }),
      onPoint: one => this.#panel.highlight(one),
    })
  }

  async show(address: Address): Promise<void> {
    this.#address = address
    const key = `${address.group} ${address.n}`
    if (this.#loaded?.key !== key && !(await this.#load(key, address))) return
    this.redraw()
  }

  /** Draws the current group again, for example after the theme has changed. */
  redraw(): void {
    if (this.#loaded === undefined) return
    const group = this.#loaded.groups[this.#address.measure]
    const address = { ...this.#address, panel: this.#choosePanel(group) }
    if (address.measure === 'ratio' && !group.hasRatios) showNotice('This group has no compression ratios.')
    const all = this.#styledSeries(group, address)
    const series = findSeries(all, address.find)
    const hidden = new Set(address.hide)
    const unit: Unit = address.versus === '' ? group.unit : 'ratio'
    this.#controls.show(address, group, all)
    const { commits, better, besideUnit } = group
    this.#table.show({ series, hidden, unit, better, besideUnit })
    const drawn = series.filter(({ id }) => !hidden.has(id))
    const span = findSpan(
      commits.map(({ sha }) => sha),
      address,
    )
    const { scale } = address
    const empty = explainEmptyChart({ all, found: series, drawn, scale })
    this.#panel.draw({ commits, series: drawn, unit, besideUnit, scale, theme: currentTheme(), span }, empty)
    pageElement('group-facts').textContent = describeGroup(group)
  }

  /** Removes the group from the screen and aborts a request that is still running. */
  clear(): void {
    this.#loading.abort()
    this.#loaded = undefined
    this.#panel.clear()
  }

  /** @returns the requested panel, or the first one together with a notice when the requested one does not exist */
  #choosePanel({ panels }: ChartedGroup): string {
    const wanted = this.#address.panel
    const panel = panels.find(({ id }) => id === wanted) ?? panels[0]
    if (panel === undefined) return ''
    if (wanted === '') this.#note({ panel: panel.id })
    // When the group has only one panel, that panel also stands for the mean and for all panels.
    if (['', MEAN, EVERY, panel.id].includes(wanted)) hideNotice()
    else showNotice(`This group has no panel ${wanted}. This is ${panel.label}.`)
    return panel.id
  }

  #styledSeries(group: ChartedGroup, { panel, versus, measure }: Address): readonly DrawnSeries[] {
    const key = JSON.stringify([panel, versus, measure, currentTheme()])
    if (this.#styled.key !== key) this.#styled = { key, series: styled(group.series(panel, versus), group) }
    return this.#styled.series
  }

  /** @returns false when loading failed or another group was requested in the meantime */
  async #load(key: string, { group: slug, n }: Address): Promise<boolean> {
    this.#loading.abort()
    const { signal } = (this.#loading = new AbortController())
    const slow = setTimeout(() => showNotice('Loading…'), 200)
    try {
      const history = await fetchHistory(slug, n, signal)
      const value = chartGroup(history)
      this.#loaded = { key, groups: { value, ratio: value.hasRatios ? chartGroup(history, 'ratio') : value } }
      this.#styled = { key: '', series: [] }
      hideNotice()
      return true
    } catch (error) {
      if (!signal.aborted) this.#failed(error)
      return false
    } finally {
      clearTimeout(slow)
    }
  }

  #failed(error: unknown): void {
    this.#loaded = undefined
    this.#panel.clear()
    showError('Cannot load this group', error, () => void this.show(this.#address))
  }

  #showValues(at: number | undefined): void {
    if (this.#loaded === undefined) return
    const { commits } = this.#loaded.groups[this.#address.measure]
    const last =
      findSpan(
        commits.map(({ sha }) => sha),
        this.#address,
      )?.last ?? commits.length - 1
    if (at === undefined) this.#table.showAt(last, 'Latest', false)
    else this.#table.showAt(at, `At ${shortSha(commits[at]?.sha ?? '')}`, true)
  }

  #noteSpan(span: Span | undefined): void {
    const commits = this.#loaded?.groups[this.#address.measure].commits ?? []
    const shaAt = (at: number | undefined): string => shortSha(commits[at ?? -1]?.sha ?? '')
    this.#note({ from: shaAt(span?.first), to: shaAt(span?.last) })
  }

  /** Records a change of what is shown in the address. */
  #note(change: Partial<Address>): void {
    this.#address = { ...this.#address, ...change }
    this.navigation.note(change)
  }
}

function styled(series: ReturnType<ChartedGroup['series']>, group: ChartedGroup): readonly DrawnSeries[] {
  const ownSeries = group.series(group.panels[0]?.id ?? '', '')
  const styleFor = stylesFor(series.length > ownSeries.length ? group.series('all', '') : ownSeries, currentTheme())
  return series.map(one => ({ ...one, style: styleFor(one) }))
}

function findSpan(shas: readonly string[], { from, to }: Address): Span | undefined {
  const indexOfSha = (start: string): number => (start === '' ? -1 : shas.findIndex(sha => sha.startsWith(start)))
  const [first, last] = [indexOfSha(from), indexOfSha(to)]
  if (first === -1 && last === -1) return undefined
  return { first: Math.max(0, first), last: last === -1 ? shas.length - 1 : last }
}

function describeGroup({ commits, more, better }: ChartedGroup): string {
  const measured = commits.length === 1 ? 'one commit' : `${formatCount(commits.length)} commits`
  return `measured at ${measured}; ${better === 'lower' ? 'lower' : 'higher'} is better${more ? '; some series are not shown, because there are too many' : ''}`
}
