/** The view of one group: its panels, chart and table, and the chart of a second group beside it. */

import { type Navigation } from '../navigation.js'
import { chooseHidden, EVERY, isDrawn, MEAN, START, type Address } from '../address.js'
import { pageElement } from '../element.js'
import { formatCount, shortSha } from '../format.js'
import type { Span } from '../chart/chart-options.js'
import { explainEmptyChart } from '../model/series.js'
import type { ChartedGroup } from '../model/charted-group.js'
import { findCommit, findSpan } from '../model/commit-span.js'
import { chartCsv } from '../model/csv.js'
import { currentTheme } from '../theme.js'
import { ChartPanel } from './chart-panel.js'
import { Controls } from './controls.js'
import type { ChangeSource } from '../change-source.js'
import { deliveriesAt } from '../delivery-source.js'
import { changeMarks } from '../model/change-marks.js'
import { GroupSource, type PanelLines } from './group-source.js'
import { SecondChart } from './second-chart.js'
import { SeriesTable } from './series-table.js'
import { addShareButtons } from './share.js'
import { showError, showNotice, hideNotice } from './notice.js'

export class ChartsView {
  readonly #controls: Controls
  readonly #panel: ChartPanel
  readonly #second: SecondChart
  readonly #table: SeriesTable
  readonly #source = new GroupSource()
  #address: Address = START
  #lines: PanelLines | undefined

  constructor(
    private readonly navigation: Navigation,
    private readonly changes: ChangeSource,
  ) {
    this.#controls = new Controls(navigation)
    this.#panel = new ChartPanel({
      prefix: '',
      onPoint: at => this.#showValues(at),
      onSpan: span => this.#noteSpan(span),
      onPin: at => this.#note({ at: this.#shaAt(at) }),
    })
    this.#second = new SecondChart(changes)
    this.#table = new SeriesTable({
      onHide: hidden => navigation.adjust(chooseHidden(this.#lines?.all.map(({ id }) => id) ?? [], new Set(hidden))),
      onPoint: one => this.#panel.highlight(one),
    })
    addShareButtons({
      link: () => navigation.link(),
      csv: () => this.#csv(),
      picture: () => this.#panel.picture(this.#title(' · ')),
      name: () => this.#title(' ').replace(/[^\p{L}\p{N}.]+/gu, '-'),
    })
  }

  async show(address: Address): Promise<void> {
    this.#address = address
    if (!this.#source.isLoaded(address.group, address) && !(await this.#load(address))) return
    this.redraw()
    // The marks are drawn when they are known, because looking for changes may take long.
    if (this.changes.known === undefined)
      await this.changes.load().then(
        () => this.redraw(),
        () => undefined,
      )
  }

  /** Draws the current group again, for example after the theme has changed. */
  redraw(): void {
    const group = this.#source.group(this.#address.measure)
    if (group === undefined) return
    const address = { ...this.#address, panel: this.#choosePanel(group) }
    if (address.measure === 'ratio' && !group.hasRatios) showNotice('This group has no compression ratios.')
    const lines = (this.#lines = this.#source.lines(group, address))
    const { all, found, drawn, unit, besideUnit, scale } = lines
    const { commits, better } = group
    this.#controls.show(address, group, lines)
    const hidden = new Set(all.filter(({ id }) => !isDrawn(address, id)).map(({ id }) => id))
    this.#table.show({ series: found, hidden, unit, better, besideUnit })
    const span = findSpan(commits, address)
    const pinned = findCommit(commits, address.at)
    const theme = currentTheme()
    const empty = explainEmptyChart({ all, found, drawn, scale })
    const changes = changeMarks(commits, this.changes.ofPanel(address.group, address.panel))
    const drawing = { commits, series: drawn, unit, besideUnit, scale, theme, span, pinned, changes }
    this.#panel.draw({ ...drawing, deliveriesAt: sha => deliveriesAt(address.group, address.panel, sha) }, empty)
    pageElement('group-facts').textContent = describeGroup(group)
    void this.#second.show(address, { commits, span })
  }

  /** Removes the group from the screen and aborts a request that is still running. */
  clear(): void {
    this.#source.clear()
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

  /** @returns false when loading failed or another group was requested in the meantime */
  async #load(address: Address): Promise<boolean> {
    const slow = setTimeout(() => showNotice('Loading…'), 200)
    try {
      const isLoaded = await this.#source.load(address.group, address)
      if (isLoaded) hideNotice()
      return isLoaded
    } catch (error) {
      this.#panel.clear()
      showError('Cannot load this group', error, () => void this.show(this.#address))
      return false
    } finally {
      clearTimeout(slow)
    }
  }

  #showValues(at: number | undefined): void {
    const { commits } = this.#source.group(this.#address.measure) ?? { commits: [] }
    const last = findSpan(commits, this.#address)?.last ?? commits.length - 1
    if (at === undefined) this.#table.showAt(last, 'Latest', false)
    else this.#table.showAt(at, `At ${shortSha(commits[at]?.sha ?? '')}`, true)
  }

  #noteSpan(span: Span | undefined): void {
    this.#note({ from: this.#shaAt(span?.first), to: this.#shaAt(span?.last) })
    const { commits } = this.#source.group(this.#address.measure) ?? { commits: [] }
    this.#second.showSpan({ commits, span })
  }

  /** The beginning of a commit's SHA, by its index; empty when there is none. */
  #shaAt(at: number | undefined): string {
    return shortSha(this.#source.group(this.#address.measure)?.commits[at ?? -1]?.sha ?? '')
  }

  /** Records a change of what is shown in the address. */
  #note(change: Partial<Address>): void {
    this.#address = { ...this.#address, ...change }
    this.navigation.note(change)
  }

  #csv(): string | undefined {
    const group = this.#source.group(this.#address.measure)
    if (group === undefined || this.#lines === undefined) return undefined
    const { drawn: series, unit } = this.#lines
    return chartCsv({ commits: group.commits, series, unit, span: findSpan(group.commits, this.#address) })
  }

  /** The name of the group and, when there are several, of its panel. */
  #title(separator: string): string {
    const panels = this.#source.group(this.#address.measure)?.panels ?? []
    const panel = panels.length < 2 ? undefined : panels.find(({ id }) => id === this.#address.panel)?.label
    return [pageElement('group-name').textContent, panel].filter(Boolean).join(separator)
  }
}

function describeGroup({ commits, more, better }: ChartedGroup): string {
  const measured = commits.length === 1 ? 'one commit' : `${formatCount(commits.length)} commits`
  return `measured at ${measured}; ${better === 'lower' ? 'lower' : 'higher'} is better${more ? '; some series are not shown, because there are too many' : ''}`
}
