/** What the page shows, as the part of its address after `#`: a link to it shows the same. */

export const VIEWS = ['charts', 'activity', 'operator'] as const
type View = (typeof VIEWS)[number]
export type Scale = 'linear' | 'log'
/** The values as measured, or of sizes the compression ratio. */
const MEASURES = ['value', 'ratio'] as const
export type Measure = (typeof MEASURES)[number]

/** A panel that is no value of the suite's: the mean of all of them, or all at once. */
export const MEAN = 'mean'
export const EVERY = 'all'

export type Address = {
  readonly view: View
  /** A slug; empty is the first suite. */
  readonly suite: string
  /** A query, an operation, a threshold, or `MEAN` or `EVERY`; empty is the suite's first panel. */
  readonly panel: string
  /** Words that a line's name has, or has not where they start with `-`. */
  readonly find: string
  /** Lines that are not drawn. */
  readonly hide: readonly string[]
  /** The line that the others are divided by; empty for none. */
  readonly versus: string
  readonly measure: Measure
  readonly scale: Scale
  /** How many commits are asked for. */
  readonly n: number
  /** The first and the last commit in sight, as the start of their shas; empty for the ends. */
  readonly from: string
  readonly to: string
}

export const COUNTS = [50, 200, 1000] as const

export const START: Address = {
  ...{ view: 'charts', suite: '', panel: '', find: '', hide: [], versus: '' },
  ...{ measure: 'value', scale: 'linear', n: 200, from: '', to: '' },
}

/** @param hash with or without `#`; what it does not know it leaves out */
export function parseAddress(hash: string): Address {
  const given = new URLSearchParams(hash.replace(/^#/, ''))
  const text = (name: string): string => given.get(name) ?? ''
  const n = Number(given.get('n') ?? START.n)
  return {
    view: VIEWS.find(view => view === given.get('view')) ?? START.view,
    ...{ suite: text('suite'), panel: text('panel'), find: text('find'), versus: text('versus') },
    hide: given.getAll('hide'),
    measure: MEASURES.find(measure => measure === given.get('measure')) ?? START.measure,
    scale: given.get('scale') === 'log' ? 'log' : 'linear',
    n: Number.isInteger(n) && n >= 1 && n <= 1000 ? n : START.n,
    ...{ from: text('from'), to: text('to') },
  }
}

/** The shortest hash that `parseAddress` reads back, with its `#`. */
export function formatAddress(address: Address): string {
  const told = new URLSearchParams()
  for (const name of ['view', 'suite', 'panel', 'find', 'versus', 'measure', 'scale', 'n', 'from', 'to'] as const)
    if (address[name] !== START[name]) told.set(name, String(address[name]))
  for (const line of address.hide) told.append('hide', line)
  return `#${told.toString()}`
}
