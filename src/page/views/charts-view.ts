/** The view of one group: its panels, chart and table. */

import { readHistory } from '../api.js'
import { EVERY, MEAN, START, type Address, type Measure } from '../address.js'
import { part } from '../element.js'
import { formatCount, shortSha, type Unit } from '../format.js'
import type { DrawnLine, Span } from '../chart/options.js'
import { whyEmpty } from '../model/empty.js'
import { suiteOf, type Suite } from '../model/panels.js'
import { found } from '../model/select.js'
import { stylesFor } from '../model/style.js'
import type { Navigation } from '../navigation.js'
import { theme } from '../theme.js'
import { ChartPanel } from './chart-panel.js'
import { Controls } from './controls.js'
import { SeriesTable } from './series-table.js'
import { failed, note, quiet } from './notice.js'

export class ChartsView {
  readonly #controls: Controls
  readonly #panel: ChartPanel
  readonly #table: SeriesTable
  #address: Address = START
  #loaded: { readonly key: string; readonly suites: Readonly<Record<Measure, Suite>> } | undefined
  /** Lines with their styles. The objects are reused while they look the same, so that what is cached for them stays valid. */
  #styled: { readonly key: string; readonly lines: readonly DrawnLine[] } = { key: '', lines: [] }
  #loading = new AbortController()

  constructor(private readonly navigation: Navigation) {
    this.#controls = new Controls(navigation)
    this.#panel = new ChartPanel({ onPoint: at => this.#tell(at), onSpan: span => this.#noteSpan(span) })
    this.#table = new SeriesTable({
      onHide: hide => navigation.adjust({ hide }),
      onPoint: line => this.#panel.highlight(line),
    })
  }

  async show(address: Address): Promise<void> {
    this.#address = address
    const key = `${address.suite} ${address.n}`
    if (this.#loaded?.key !== key && !(await this.#load(key, address))) return
    this.redraw()
  }

  /** Draws the current group again, for example after the theme has changed. */
  redraw(): void {
    if (this.#loaded === undefined) return
    const suite = this.#loaded.suites[this.#address.measure]
    const address = { ...this.#address, panel: this.#choosePanel(suite) }
    if (address.measure === 'ratio' && !suite.hasRatios) note('No compression ratio is known here.')
    const all = this.#linesOf(suite, address)
    const lines = found(all, address.find)
    const hidden = new Set(address.hide)
    const unit: Unit = address.versus === '' ? suite.unit : 'ratio'
    this.#controls.show(address, suite, all)
    const { commits, better, besideUnit } = suite
    this.#table.show({ lines, hidden, unit, better, besideUnit })
    const drawn = lines.filter(({ id }) => !hidden.has(id))
    const span = spanOf(
      commits.map(({ sha }) => sha),
      address,
    )
    const { scale } = address
    const empty = whyEmpty({ all, found: lines, drawn, scale })
    this.#panel.draw({ commits, lines: drawn, unit, besideUnit, scale, theme: theme(), span }, empty)
    part('suite-facts').textContent = factsOf(suite)
  }

  /** Removes the group from the screen and aborts a request that is still running. */
  clear(): void {
    this.#loading.abort()
    this.#loaded = undefined
    this.#panel.clear()
  }

  /** @returns the requested panel, or the first one together with a notice when the requested one does not exist */
  #choosePanel({ panels }: Suite): string {
    const wanted = this.#address.panel
    const panel = panels.find(({ id }) => id === wanted) ?? panels[0]
    if (panel === undefined) return ''
    if (wanted === '') this.#note({ panel: panel.id })
    // When the group has only one panel, that panel also stands for the mean and for all panels.
    if (['', MEAN, EVERY, panel.id].includes(wanted)) quiet()
    else note(`This suite has no panel ${wanted} here: this is ${panel.label}.`)
    return panel.id
  }

  #linesOf(suite: Suite, { panel, versus, measure }: Address): readonly DrawnLine[] {
    const key = JSON.stringify([panel, versus, measure, theme()])
    if (this.#styled.key !== key) this.#styled = { key, lines: styled(suite.lines(panel, versus), suite) }
    return this.#styled.lines
  }

  /** @returns false when loading failed or another group was requested in the meantime */
  async #load(key: string, { suite: slug, n }: Address): Promise<boolean> {
    this.#loading.abort()
    const { signal } = (this.#loading = new AbortController())
    const slow = setTimeout(() => note('Loading…'), 200)
    try {
      const history = await readHistory(slug, n, signal)
      const value = suiteOf(history)
      this.#loaded = { key, suites: { value, ratio: value.hasRatios ? suiteOf(history, 'ratio') : value } }
      this.#styled = { key: '', lines: [] }
      quiet()
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
    failed('This suite cannot be shown', error, () => void this.show(this.#address))
  }

  #tell(at: number | undefined): void {
    if (this.#loaded === undefined) return
    const { commits } = this.#loaded.suites[this.#address.measure]
    const last =
      spanOf(
        commits.map(({ sha }) => sha),
        this.#address,
      )?.last ?? commits.length - 1
    if (at === undefined) this.#table.showAt(last, 'Latest', false)
    else this.#table.showAt(at, `At ${shortSha(commits[at]?.sha ?? '')}`, true)
  }

  #noteSpan(span: Span | undefined): void {
    const commits = this.#loaded?.suites[this.#address.measure].commits ?? []
    const shaAt = (at: number | undefined): string => shortSha(commits[at ?? -1]?.sha ?? '')
    this.#note({ from: shaAt(span?.first), to: shaAt(span?.last) })
  }

  /** Records a change of what is shown in the address. */
  #note(change: Partial<Address>): void {
    this.#address = { ...this.#address, ...change }
    this.navigation.note(change)
  }
}

function styled(lines: ReturnType<Suite['lines']>, suite: Suite): readonly DrawnLine[] {
  const ofSuite = suite.lines(suite.panels[0]?.id ?? '', '')
  const styleOf = stylesFor(lines.length > ofSuite.length ? suite.lines('all', '') : ofSuite, theme())
  return lines.map(line => ({ ...line, style: styleOf(line) }))
}

function spanOf(shas: readonly string[], { from, to }: Address): Span | undefined {
  const placeOf = (start: string): number => (start === '' ? -1 : shas.findIndex(sha => sha.startsWith(start)))
  const [first, last] = [placeOf(from), placeOf(to)]
  if (first === -1 && last === -1) return undefined
  return { first: Math.max(0, first), last: last === -1 ? shas.length - 1 : last }
}

function factsOf({ commits, more, better }: Suite): string {
  const measured = commits.length === 1 ? 'one commit' : `${formatCount(commits.length)} commits`
  return `measured at ${measured}; ${better === 'lower' ? 'less' : 'more'} is better${more ? '; not all of its series are shown, there are too many' : ''}`
}
