/** The list of groups. Each is one kind of measurement of one dataset. */

import type { GroupEntry } from '../../server/read/answers.js'
import { formatAddress, START, type Address } from '../address.js'
import { element, pageElement } from '../element.js'
import { formatCount } from '../format.js'
import { matchesWords } from '../model/series.js'

const KINDS: Readonly<Record<string, string>> = {
  query_measurement: 'Queries',
  compression_time: 'Compression time',
  compression_size: 'Compressed size',
  random_access_time: 'Random access',
  vector_search_run: 'Vector search',
}

/** From this width on, the list is beside the chart. */
const WIDE = matchMedia('(min-width: 900px)')

export class GroupList {
  readonly #find = pageElement('group-find') as HTMLInputElement
  readonly #frame = pageElement('groups') as HTMLDetailsElement
  #groups: readonly GroupEntry[] = []
  #address: Address = START

  constructor() {
    this.#find.addEventListener('input', () => this.#draw())
    WIDE.addEventListener('change', () => (this.#frame.open = WIDE.matches))
    this.#frame.open = WIDE.matches
  }

  fill(groups: readonly GroupEntry[]): void {
    this.#groups = groups
  }

  show(address: Address): void {
    if (address.group !== this.#address.group && !WIDE.matches) this.#frame.open = false
    this.#address = address
    this.#draw()
  }

  #draw(): void {
    const found = this.#groups.filter(group =>
      matchesWords(`${groupHeading(group)} ${renderGroupTitle(group)}`, this.#find.value),
    )
    const sections = [...new Set(found.map(groupHeading))].map(heading => this.#section(heading, found))
    const none = element('p', { class: 'quiet' }, 'No group matches.')
    pageElement('group-list').replaceChildren(...(sections.length === 0 ? [none] : sections))
  }

  #section(heading: string, found: readonly GroupEntry[]): HTMLElement {
    const items = found.filter(group => groupHeading(group) === heading).map(group => this.#item(group))
    return element('section', {}, element('h2', {}, heading), element('ul', {}, ...items))
  }

  #item(group: GroupEntry): HTMLElement {
    const { scale, n } = this.#address
    const href = formatAddress({ ...START, scale, n, group: group.slug })
    const current = group.slug === this.#address.group ? 'page' : undefined
    const count = element('span', { class: 'count', title: 'series' }, formatCount(group.series))
    return element('li', {}, element('a', { href, 'aria-current': current }, renderGroupTitle(group), count))
  }
}

export function groupHeading({ kind }: GroupEntry): string {
  return KINDS[kind] ?? kind
}

/** A readable name: `tpch clustered · SF 10 · nvme`. */
export function renderGroupTitle({ dataset, dataset_variant, scale_factor, storage, layout }: GroupEntry): string {
  const name = [dataset, dataset_variant].filter(Boolean).join(' ')
  return [name, scale_factor && `SF ${scale_factor}`, storage, layout].filter(Boolean).join(' · ')
}
