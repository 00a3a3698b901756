/** The state of the page as the fragment of its URL, so that a link shows the same view. */

export const VIEWS = ['charts', 'activity', 'operator'] as const
type View = (typeof VIEWS)[number]
export type Scale = 'linear' | 'log'
/** The charted values: as measured, or the compression ratio of sizes. */
const MEASURES = ['value', 'ratio'] as const
export type Measure = (typeof MEASURES)[number]

/** Panel ids for derived panels: the mean over all panels of the group, and all panels at once. */
export const MEAN = 'mean'
export const EVERY = 'all'

export type Address = {
  readonly view: View
  /** Slug of the group. Empty selects the first group. */
  readonly group: string
  /** Panel id: a query, an operation, a threshold, `MEAN` or `EVERY`. Empty selects the group's first panel. */
  readonly panel: string
  /** Search words that the name of a series must contain. A word that starts with `-` must not occur. */
  readonly find: string
  /** Ids of the series that are hidden. */
  readonly hide: readonly string[]
  /** Id of the series by whose values the others are divided. Empty for none. */
  readonly versus: string
  readonly measure: Measure
  readonly scale: Scale
  /** Number of commits to load. */
  readonly n: number
  /** First and last visible commit, as prefixes of their SHAs. Empty means the first or last loaded commit. */
  readonly from: string
  readonly to: string
}

export const COUNTS = [50, 200, 1000] as const

export const START: Address = {
  ...{ view: 'charts', group: '', panel: '', find: '', hide: [], versus: '' },
  ...{ measure: 'value', scale: 'linear', n: 200, from: '', to: '' },
}

/** Parses a URL fragment. Unknown parameters and values are ignored. @param hash with or without `#` */
export function parseAddress(hash: string): Address {
  const given = new URLSearchParams(hash.replace(/^#/, ''))
  const text = (name: string): string => given.get(name) ?? ''
  const n = Number(given.get('n') ?? START.n)
  return {
    view: VIEWS.find(view => view === given.get('view')) ?? START.view,
    ...{ group: text('group'), panel: text('panel'), find: text('find'), versus: text('versus') },
    hide: given.getAll('hide'),
    measure: MEASURES.find(measure => measure === given.get('measure')) ?? START.measure,
    scale: given.get('scale') === 'log' ? 'log' : 'linear',
    n: Number.isInteger(n) && n >= 1 && n <= 1000 ? n : START.n,
    ...{ from: text('from'), to: text('to') },
  }
}

/** Formats an address as the shortest fragment that `parseAddress` reads back, including its `#`. */
export function formatAddress(address: Address): string {
  const parameters = new URLSearchParams()
  for (const name of ['view', 'group', 'panel', 'find', 'versus', 'measure', 'scale', 'n', 'from', 'to'] as const)
    if (address[name] !== START[name]) parameters.set(name, String(address[name]))
  for (const one of address.hide) parameters.append('hide', one)
  return `#${parameters.toString()}`
}
