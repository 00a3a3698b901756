/** The chart of a second group, which follows the settings and the visible time of the first one. */

import type { GroupEntry, HistoryCommit } from '../../server/read/answers.js'
import { describeError } from '../api.js'
import { EVERY, START, type Address } from '../address.js'
import { createSwatch } from '../chart/card.js'
import type { Span } from '../chart/chart-options.js'
import { element, pageElement } from '../element.js'
import { findCommit, sameTime } from '../model/commit-span.js'
import { explainEmptyChart } from '../model/series.js'
import { currentTheme } from '../theme.js'
import { ChartPanel } from './chart-panel.js'
import { groupHeading, renderGroupTitle } from './group-list.js'
import type { ChangeSource } from '../change-source.js'
import { deliveriesAt } from '../delivery-source.js'
import { changeMarks } from '../model/change-marks.js'
import { GroupSource } from './group-source.js'

/** The commits of the first chart, and those of them that are visible. */
type First = { readonly commits: readonly HistoryCommit[]; readonly span: Span | undefined }

/** The legend names at most this many lines. */
const MAX_NAMES = 30

export class SecondChart {
  readonly #panel = new ChartPanel({
    ...{ prefix: 'second-', onPoint: () => undefined, onSpan: () => undefined, onPin: () => undefined },
  })
  readonly #source = new GroupSource()

  constructor(private readonly changes: ChangeSource) {}
  #measure = START.measure

  async show(address: Address, first: First): Promise<void> {
    pageElement('second').hidden = address.beside === ''
    pageElement('side-by-side').classList.toggle('two', address.beside !== '')
    if (address.beside === '') return this.#clear()
    const failed = pageElement('second-failed')
    try {
      if (await this.#source.load(address.beside, address)) this.#draw(address, first)
      failed.hidden = true
    } catch (error) {
      this.#panel.clear()
      failed.textContent = `Cannot load the second group: ${describeError(error)}.`
      failed.hidden = false
    }
  }

  /** Shows the commits in the time of those that the first chart shows. */
  showSpan(first: First): void {
    const group = this.#source.group(this.#measure)
    if (group !== undefined) this.#panel.showSpan(sameTime(group.commits, first))
  }

  #clear(): void {
    this.#source.clear()
    this.#panel.clear()
  }

  #draw(address: Address, first: First): void {
    this.#measure = address.measure
    const group = this.#source.group(address.measure)
    if (group === undefined) return
    const { commits, panels } = group
    const panel = panels.find(({ id }) => id === address.panel) ?? panels[0]
    // `versus`, and on the panel `EVERY` also `hide` and `only`, name series of the first group, so they do not apply here.
    const { all, found, drawn, unit, besideUnit, scale } = this.#source.lines(group, {
      ...{ ...address, panel: panel?.id ?? '', versus: '' },
      ...(panel?.id === EVERY && { hide: [], only: undefined }),
    })
    const span = sameTime(commits, first)
    const theme = currentTheme()
    const empty = explainEmptyChart({ all, found, drawn, scale })
    const pinned = findCommit(commits, address.at)
    const changes = changeMarks(commits, this.changes.ofPanel(address.beside, panel?.id ?? ''))
    const drawing = { commits, series: drawn, unit, besideUnit, scale, theme, span, pinned, changes }
    this.#panel.draw({ ...drawing, deliveriesAt: sha => deliveriesAt(address.beside, panel?.id ?? '', sha) }, empty)
    pageElement('second-panel').textContent = panels.length < 2 ? '' : (panel?.label ?? '')
    const names = drawn.slice(0, MAX_NAMES).map(one => element('li', {}, createSwatch(one), one.name))
    pageElement('second-names').replaceChildren(...names)
  }
}

/** Fills the list from which the second group is chosen. */
export function fillBeside(groups: readonly GroupEntry[], address: Address): void {
  const select = pageElement('beside') as HTMLSelectElement
  const options = groups
    .filter(({ slug }) => slug !== address.group)
    .map(group => element('option', { value: group.slug }, `${groupHeading(group)}: ${renderGroupTitle(group)}`))
  select.replaceChildren(element('option', { value: '' }, 'one group'), ...options)
  select.value = address.beside
  pageElement('second-name').textContent = select.selectedOptions[0]?.textContent ?? ''
}
