/** The reader's settings: panel, search words, series to compare with, measure, scale and number of commits. */

import { type Navigation } from '../navigation.js'
import { COUNTS, EVERY, type Address, type Measure, type ScaleChoice } from '../address.js'
import { element, pageElement } from '../element.js'
import { isVortex } from '../model/style.js'
import { MAX_BANDS } from '../chart/band.js'
import type { ChartedGroup } from '../model/charted-group.js'
import type { PanelLines } from './group-source.js'

/** Search words for the buttons that select Vortex or the other formats. */
const SIDES = [
  ['All', ''],
  ['Vortex', 'vortex'],
  ['Others', '-vortex'],
] as const

const MEASURES = [
  ['Size', 'value'],
  ['Ratio', 'ratio'],
] as const

const SCALES = [
  ['Linear', 'linear'],
  ['Log', 'log'],
  ['Relative', 'relative'],
] as const

export class Controls {
  readonly #find = pageElement('find') as HTMLInputElement
  readonly #versus = pageElement('versus') as HTMLSelectElement
  readonly #count = pageElement('count') as HTMLSelectElement
  readonly #beside = pageElement('beside') as HTMLSelectElement
  readonly #spread = pageElement('spread') as HTMLInputElement

  constructor(navigation: Navigation) {
    this.#count.append(...COUNTS.map(count => element('option', { value: count }, `last ${count} commits`)))
    this.#find.addEventListener('input', () => navigation.adjust({ find: this.#find.value }))
    this.#versus.addEventListener('change', () => navigation.go({ versus: this.#versus.value }))
    this.#count.addEventListener('change', () => navigation.go({ n: Number(this.#count.value), from: '', to: '' }))
    this.#beside.addEventListener('change', () => navigation.go({ beside: this.#beside.value }))
    this.#spread.addEventListener('change', () => navigation.go({ spread: this.#spread.checked }))
    onChoice('scale', value => navigation.go({ scale: value as ScaleChoice }))
    onChoice('measures', measure => navigation.go({ measure: measure as Measure }))
    onChoice('panels', panel => navigation.go({ panel, ...keptLines(panel, navigation.address()) }))
    onChoice('sides', find => navigation.go({ find }))
  }

  show(address: Address, group: ChartedGroup, { all, drawn, choice, note }: PanelLines): void {
    fillChoices(
      'panels',
      'panel',
      group.panels.map(({ id, label }) => [label, id]),
      address.panel,
    )
    const mixed = all.some(isVortex) && !all.every(isVortex)
    fillChoices('sides', 'side', mixed || address.find !== '' ? SIDES : [], address.find)
    fillChoices('measures', 'measure', group.hasRatios ? MEASURES : [], address.measure)
    fillChoices('scale', 'scale', SCALES, choice)
    this.#spread.checked = address.spread
    const tooMany = address.spread && drawn.length > MAX_BANDS
    const bands = tooMany ? `The spread is drawn for at most ${MAX_BANDS} lines; leave some out to see it.` : ''
    pageElement('scale-note').textContent = [note, bands].filter(Boolean).join(' ')
    if (this.#find !== document.activeElement) this.#find.value = address.find
    this.#showVersus(address, group)
    this.#showCount(address)
  }

  #showVersus({ versus }: Address, { choices }: ChartedGroup): void {
    const names = choices.map(({ id, name }) => element('option', { value: id }, `× ${name}`))
    this.#versus.replaceChildren(element('option', { value: '' }, 'as measured'), ...names)
    this.#versus.value = versus
  }

  #showCount({ n }: Address): void {
    const value = String(n)
    if (![...this.#count.options].some(option => option.value === value))
      this.#count.append(element('option', { value }, `last ${value} commits`))
    this.#count.value = value
  }
}

/** Hidden series have other ids on the panel of all panels, so they are shown again there and when the reader leaves it. */
function keptLines(panel: string, before: Address): Partial<Address> {
  return panel === EVERY || before.panel === EVERY ? { hide: [], only: undefined } : {}
}

/** Fills a group of radio buttons that look like one strip. Hides it when there are fewer than two choices. */
function fillChoices(
  id: string,
  name: string,
  choices: readonly (readonly [label: string, value: string])[],
  chosen: string,
): void {
  const group = pageElement(id)
  group.hidden = choices.length < 2
  const strip = group.querySelector('.strip')!
  const key = JSON.stringify(choices)
  // The buttons are replaced only when the choices change, because the focused button would lose its focus.
  if (group.dataset['choices'] !== key) {
    group.dataset['choices'] = key
    strip.replaceChildren(...choices.map(([label, value]) => choice(name, label, value)))
  }
  for (const input of strip.querySelectorAll('input')) input.checked = input.value === chosen
}

function choice(name: string, label: string, value: string): HTMLElement {
  return element('label', {}, element('input', { type: 'radio', name, value }), element('span', {}, label))
}

function onChoice(id: string, choose: (value: string) => void): void {
  pageElement(id).addEventListener('change', event => choose((event.target as HTMLInputElement).value))
}
