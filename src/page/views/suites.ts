/** The list of groups. Each is one kind of measurement of one dataset. */

import type { Suite } from '../api.js'
import { formatAddress, START, type Address } from '../address.js'
import { element, part } from '../element.js'
import { formatCount } from '../format.js'
import { matches } from '../model/select.js'

const KINDS: Readonly<Record<string, string>> = {
  query_measurement: 'Queries',
  compression_time: 'Compression time',
  compression_size: 'Compressed size',
  random_access_time: 'Random access',
  vector_search_run: 'Vector search',
}

/** From this width on, the list is beside the chart. */
const WIDE = matchMedia('(min-width: 900px)')

export class SuiteList {
  readonly #find = part('suite-find') as HTMLInputElement
  readonly #frame = part('suites') as HTMLDetailsElement
  #suites: readonly Suite[] = []
  #address: Address = START

  constructor() {
    this.#find.addEventListener('input', () => this.#draw())
    WIDE.addEventListener('change', () => (this.#frame.open = WIDE.matches))
    this.#frame.open = WIDE.matches
  }

  fill(suites: readonly Suite[]): void {
    this.#suites = suites
  }

  show(address: Address): void {
    if (address.suite !== this.#address.suite && !WIDE.matches) this.#frame.open = false
    this.#address = address
    this.#draw()
  }

  #draw(): void {
    const found = this.#suites.filter(suite => matches(`${headingOf(suite)} ${suiteName(suite)}`, this.#find.value))
    const sections = [...new Set(found.map(headingOf))].map(heading => this.#section(heading, found))
    const none = element('p', { class: 'quiet' }, 'No suite has these words.')
    part('suite-list').replaceChildren(...(sections.length === 0 ? [none] : sections))
  }

  #section(heading: string, found: readonly Suite[]): HTMLElement {
    const items = found.filter(suite => headingOf(suite) === heading).map(suite => this.#item(suite))
    return element('section', {}, element('h2', {}, heading), element('ul', {}, ...items))
  }

  #item(suite: Suite): HTMLElement {
    const { scale, n } = this.#address
    const href = formatAddress({ ...START, scale, n, suite: suite.slug })
    const current = suite.slug === this.#address.suite ? 'page' : undefined
    const count = element('span', { class: 'count', title: 'series' }, formatCount(suite.series))
    return element('li', {}, element('a', { href, 'aria-current': current }, suiteName(suite), count))
  }
}

export function headingOf({ kind }: Suite): string {
  return KINDS[kind] ?? kind
}

/** A readable name: `tpch clustered · SF 10 · nvme`. */
export function suiteName({ dataset, dataset_variant, scale_factor, storage, layout }: Suite): string {
  const name = [dataset, dataset_variant].filter(Boolean).join(' ')
  return [name, scale_factor && `SF ${scale_factor}`, storage, layout].filter(Boolean).join(' · ')
}
