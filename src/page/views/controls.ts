/** The reader's settings: panel, search words, line to compare with, measure, scale and number of commits. */

import { COUNTS, type Address, type Measure, type Scale } from '../address.js'
import { element, part } from '../element.js'
import { isVortex } from '../model/style.js'
import type { Line } from '../model/line.js'
import type { Suite } from '../model/panels.js'
import type { Navigation } from '../navigation.js'

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

export class Controls {
  readonly #find = part('find') as HTMLInputElement
  readonly #versus = part('versus') as HTMLSelectElement
  readonly #count = part('count') as HTMLSelectElement

  constructor(navigation: Navigation) {
    this.#count.append(...COUNTS.map(count => element('option', { value: count }, `last ${count} commits`)))
    this.#find.addEventListener('input', () => navigation.adjust({ find: this.#find.value }))
    this.#versus.addEventListener('change', () => navigation.go({ versus: this.#versus.value }))
    this.#count.addEventListener('change', () => navigation.go({ n: Number(this.#count.value), from: '', to: '' }))
    onChoice('scale', value => navigation.go({ scale: value as Scale }))
    onChoice('measures', measure => navigation.go({ measure: measure as Measure }))
    onChoice('panels', panel => navigation.go({ panel }))
    onChoice('sides', find => navigation.go({ find }))
  }

  show(address: Address, suite: Suite, lines: readonly Line[]): void {
    fillChoices(
      'panels',
      'panel',
      suite.panels.map(({ id, label }) => [label, id]),
      address.panel,
    )
    const mixed = lines.some(isVortex) && !lines.every(isVortex)
    fillChoices('sides', 'side', mixed || address.find !== '' ? SIDES : [], address.find)
    fillChoices('measures', 'measure', suite.hasRatios ? MEASURES : [], address.measure)
    fillChoices(
      'scale',
      'scale',
      [
        ['Linear', 'linear'],
        ['Log', 'log'],
      ],
      address.scale,
    )
    if (this.#find !== document.activeElement) this.#find.value = address.find
    this.#showVersus(address, suite)
    this.#showCount(address)
  }

  #showVersus({ versus }: Address, { choices }: Suite): void {
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

/** Fills a group of radio buttons that look like one strip. Hides it when there are fewer than two choices. */
function fillChoices(
  id: string,
  name: string,
  choices: readonly (readonly [label: string, value: string])[],
  chosen: string,
): void {
  const group = part(id)
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
  part(id).addEventListener('change', event => choose((event.target as HTMLInputElement).value))
}
