/** The chart with its card, keyboard control and buttons. */

import { button, pageElement } from '../element.js'
import { shortSha } from '../format.js'
import { createCard, createOrigins, describeForScreenReader, type CardContent } from '../chart/card.js'
import { Chart } from '../chart/chart.js'
import { addTouchCursor, addPinchZoom, addKeyboard, addTrackpad } from '../chart/gestures.js'
import type { ChartOptions, DrawnSeries, Span } from '../chart/chart-options.js'
import type { SeriesDeliveries } from '../delivery-source.js'
import { drawPicture } from '../chart/picture.js'

export type Drawing = Omit<ChartOptions, 'onCursor' | 'onSpan' | 'onClick'> & {
  /** The pinned commit, whose card stays open. */
  readonly pinned: number | undefined
  /** Asks for the deliveries that the values of the series at a commit come from. */
  readonly deliveriesAt: (sha: string) => Promise<SeriesDeliveries>
}

export type ChartPanelOptions = {
  /** Beginning of the ids of the panel's elements in index.html. */
  readonly prefix: '' | 'second-'
  /** Called with the commit to show details of, or undefined when none is selected. */
  readonly onPoint: (at: number | undefined) => void
  readonly onSpan: (span: Span | undefined) => void
  /** Called with the commit that the reader has pinned, or undefined when it was released. */
  readonly onPin: (at: number | undefined) => void
}

/** Screen readers announce the cursor, and deliveries are asked for, only after it has rested for this long. */
const REST_MS = 300

export class ChartPanel {
  readonly #host: HTMLElement
  readonly #card: HTMLElement
  #chart: Chart | undefined
  #drawing: Drawing | undefined
  #pinned: number | undefined
  #at: number | undefined
  #resting: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly options: ChartPanelOptions) {
    this.#host = pageElement(`${options.prefix}chart`)
    this.#card = pageElement(`${options.prefix}card`)
    const chart = (): Chart | undefined => this.#chart
    const onPoint = (at: number): void => this.#point(at)
    const onEscape = (): void => this.#release()
    addKeyboard(this.#host, { chart, at: () => this.#at, onPoint, onEnter: at => this.#enter(at), onEscape })
    addTouchCursor(this.#host, chart, onPoint)
    addPinchZoom(this.#host, chart)
    addTrackpad(this.#host, chart)
    this.#card.addEventListener('keydown', ({ key }) => key === 'Escape' && (this.#release(), this.#host.focus()))
    pageElement(`${options.prefix}zoom`).append(
      button('−', () => this.#chart?.zoom(2, this.#at), { 'aria-label': 'Zoom out', title: 'Zoom out (−)' }),
      button('+', () => this.#chart?.zoom(0.5, this.#at), { 'aria-label': 'Zoom in', title: 'Zoom in (+)' }),
      button('All commits', () => this.#chart?.showAll(this.#at), { title: 'Show all commits (0)' }),
    )
  }

  /** @param whyEmpty message to show in place of the chart, or undefined to show the chart */
  draw(drawing: Drawing, whyEmpty: string | undefined): void {
    this.#showEmpty(whyEmpty)
    const before = this.#drawing
    this.#drawing = drawing
    this.#showUnpinned()
    if (this.#chart !== undefined && before !== undefined && isAlike(before, drawing)) this.#chart.change(drawing)
    else this.#createChart(drawing)
    if (drawing.pinned !== undefined) this.#showPinned(drawing.pinned)
  }

  #createChart(drawing: Drawing): void {
    this.#chart?.destroy()
    this.#chart = new Chart(this.#host, {
      ...drawing,
      onCursor: (at, nearest) => this.#moved(at, nearest),
      onSpan: span => this.#spanChanged(span),
      onClick: at => this.#clicked(at),
    })
  }

  /** The chart as a picture with a title and a legend; undefined when there is no chart. */
  picture(title: string): HTMLCanvasElement | undefined {
    const { series = [], theme = 'light' } = this.#drawing ?? {}
    return this.#chart && drawPicture(this.#chart, { title, series, theme })
  }

  /** Shows the same commits as another chart. */
  showSpan(span: Span | undefined): void {
    const chart = this.#chart
    if (chart === undefined) return
    const { first, last } = span ?? { first: 0, last: chart.end }
    if (first !== chart.span.first || last !== chart.span.last) chart.show({ first, last })
  }

  clear(): void {
    this.#chart?.destroy()
    this.#chart = undefined
    this.#card.hidden = true
  }

  #showEmpty(why: string | undefined): void {
    this.#host.classList.toggle('empty', why !== undefined)
    const message = pageElement(`${this.options.prefix}chart-empty`)
    message.hidden = why === undefined
    message.textContent = why ?? ''
  }

  highlight(series: DrawnSeries | undefined): void {
    this.#chart?.highlight(series)
  }

  /** Updates the position at once, because key presses may arrive faster than frames. */
  #point(at: number): void {
    if (this.#pinned === undefined) this.#at = at
    this.#chart?.point(at)
  }

  #spanChanged(span: Span | undefined): void {
    if (this.#pinned !== undefined) this.#placeCard(this.#pinned)
    this.options.onSpan(span)
  }

  #moved(at: number | undefined, nearest: DrawnSeries | undefined): void {
    this.highlight(nearest)
    if (this.#pinned !== undefined) return
    this.#at = at
    this.#showCard(at, nearest)
    this.options.onPoint(at)
  }

  #enter(at: number): void {
    this.#pin(at)
    this.#card.querySelector('a')?.focus()
  }

  /** Pins the card to the clicked commit. A second click on the same commit releases it. */
  #clicked(at: number): void {
    this.#host.focus({ preventScroll: true })
    if (at === this.#pinned) this.#release()
    else this.#pin(at)
  }

  #pin(at: number): void {
    this.#showPinned(at)
    this.options.onPin(at)
  }

  #release(): void {
    this.#showUnpinned()
    this.options.onPin(undefined)
  }

  #showPinned(at: number): void {
    this.#pinned = undefined
    this.#moved(at, undefined)
    this.#pinned = at
    this.#card.classList.add('pinned')
    this.#chart?.mark(at)
  }

  #showUnpinned(): void {
    this.#pinned = undefined
    this.#at = undefined
    this.#card.classList.remove('pinned')
    this.#card.hidden = true
    this.#chart?.mark(undefined)
    this.#chart?.highlight(undefined)
    this.options.onPoint(undefined)
  }

  #showCard(at: number | undefined, nearest: DrawnSeries | undefined): void {
    const content = this.#contentAt(at, nearest)
    this.#card.hidden = content === undefined
    if (content === undefined) return
    this.#card.replaceChildren(...createCard(content))
    this.#card.setAttribute('aria-label', `Commit ${shortSha(content.commit.sha)}`)
    this.#placeCard(content.at)
    clearTimeout(this.#resting)
    this.#resting = setTimeout(() => {
      pageElement('spoken').textContent = describeForScreenReader(content)
      void this.#addOrigins(content)
    }, REST_MS)
  }

  /** Adds where the values come from, unless the card shows something else by then. A server that cannot say leaves it out. */
  async #addOrigins(content: CardContent): Promise<void> {
    const [shown] = this.#card.children
    const deliveries = await this.#drawing?.deliveriesAt(content.commit.sha).catch(() => undefined)
    if (deliveries !== undefined && shown !== undefined && this.#card.firstElementChild === shown)
      this.#card.append(...createOrigins(content, deliveries))
  }

  #contentAt(at: number | undefined, nearest: DrawnSeries | undefined): CardContent | undefined {
    const commit = this.#drawing?.commits[at ?? -1]
    if (at === undefined || commit === undefined || this.#drawing === undefined) return undefined
    const { series, unit, besideUnit, changes } = this.#drawing
    return { commit, at, series: [...series], nearest, unit, besideUnit, changes }
  }

  /** Places the card beside the cursor, on the side that has more room. */
  #placeCard(at: number): void {
    const chart = this.#chart
    if (chart === undefined) return
    const { first, last } = chart.span
    this.#card.hidden = at < first || at > last
    if (this.#card.hidden) return
    this.#card.classList.toggle('to-the-left', at > (first + last) / 2)
    this.#card.style.left = `${chart.areaLeft + chart.leftAt(at)}px`
  }
}

/** Whether two drawings differ at most in their series and their visible range. */
function isAlike(one: Drawing, other: Drawing): boolean {
  return (['commits', 'unit', 'scale', 'theme'] as const).every(name => one[name] === other[name])
}
