/** The state of the page as the fragment of its URL, so that a link shows the same view. */

export const VIEWS = ['changes', 'charts', 'activity', 'operator'] as const
type View = (typeof VIEWS)[number]
export type Scale = 'linear' | 'log'
/** `auto` is logarithmic when the lines differ much; `relative` shows multiples of the first value of each line. */
const SCALES = ['auto', 'linear', 'log', 'relative'] as const
export type ScaleChoice = (typeof SCALES)[number]
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
  /** Ids of the only series that are not hidden, when these are fewer. Undefined when `hide` decides. */
  readonly only: readonly string[] | undefined
  /** Id of the series by whose values the others are divided. Empty for none. */
  readonly versus: string
  readonly measure: Measure
  readonly scale: ScaleChoice
  /** Number of commits to load. */
  readonly n: number
  /** First and last visible commit, as prefixes of their SHAs. Empty means the first or last loaded commit. */
  readonly from: string
  readonly to: string
  /** Slug of the group that is shown beside the first one. Empty for none. */
  readonly beside: string
  /** Whether the spread of the runs is shown as a band behind each line. */
  readonly spread: boolean
  /** The pinned commit, as a prefix of its SHA. Empty for none. */
  readonly at: string
}

export const COUNTS = [50, 200, 1000] as const

export const START: Address = {
  ...{ view: 'charts', group: '', panel: '', find: '', hide: [], only: undefined, versus: '' },
  ...{ measure: 'value', scale: 'auto', n: 200, from: '', to: '', at: '' },
  ...{ beside: '', spread: false },
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
    only: given.has('only') ? given.getAll('only') : undefined,
    measure: MEASURES.find(measure => measure === given.get('measure')) ?? START.measure,
    scale: SCALES.find(scale => scale === given.get('scale')) ?? START.scale,
    n: Number.isInteger(n) && n >= 1 && n <= 1000 ? n : START.n,
    ...{ from: text('from'), to: text('to'), at: text('at'), beside: text('beside') },
    spread: given.get('spread') === 'runs',
  }
}

const TEXTS = [
  'view',
  'group',
  'panel',
  'find',
  'versus',
  'measure',
  'scale',
  'n',
  'from',
  'to',
  'at',
  'beside',
] as const

/** Formats an address as the shortest fragment that `parseAddress` reads back, including its `#`. */
export function formatAddress(address: Address): string {
  const parameters = new URLSearchParams()
  for (const name of TEXTS) if (address[name] !== START[name]) parameters.set(name, String(address[name]))
  if (address.spread) parameters.set('spread', 'runs')
  for (const one of address.hide) parameters.append('hide', one)
  // A single empty id stands for none, because a list without ids would leave no trace in the address.
  for (const one of address.only?.length === 0 ? [''] : (address.only ?? [])) parameters.append('only', one)
  return `#${parameters.toString()}`
}

/** Whether a series is drawn. */
export function isDrawn({ hide, only }: Pick<Address, 'hide' | 'only'>, id: string): boolean {
  return only === undefined ? !hide.includes(id) : only.includes(id)
}

/** The shorter way to write which of all series are hidden. */
export function chooseHidden(all: readonly string[], hidden: ReadonlySet<string>): Pick<Address, 'hide' | 'only'> {
  const drawn = all.filter(id => !hidden.has(id))
  return drawn.length < hidden.size ? { hide: [], only: drawn } : { hide: [...hidden], only: undefined }
}
