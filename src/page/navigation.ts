/** Reads and writes the page's address, and reports changes of it. */

import { formatAddress, parseAddress, type Address } from './address.js'

export type Navigation = {
  readonly address: () => Address
  /** Changes the address and adds a history entry, so that the back button undoes the change. */
  readonly go: (change: Partial<Address>) => void
  /** Changes the address and shows the result, without a history entry. */
  readonly adjust: (change: Partial<Address>) => void
  /** Records in the address what is shown already. Written with a delay, because browsers limit writes to the history. */
  readonly note: (change: Partial<Address>) => void
  /** The URL of what is shown, with all noted changes. */
  readonly link: () => string
}

/** Delay before a noted change is written. Longer than the time between two frames of a gesture. */
const REST_MS = 100

export function navigation(onChange: (address: Address) => void): Navigation {
  let noted: Partial<Address> = {}
  let resting: ReturnType<typeof setTimeout> | undefined
  const address = (): Address => ({ ...parseAddress(location.hash), ...noted })
  const write = (method: 'pushState' | 'replaceState', change: Partial<Address>): void => {
    const hash = formatAddress({ ...address(), ...change })
    noted = {}
    clearTimeout(resting)
    if (hash !== location.hash) history[method](null, '', hash)
  }
  const flush = (): void => {
    if (Object.keys(noted).length > 0) write('replaceState', {})
  }
  const show = (): void => onChange(address())
  addEventListener('popstate', () => {
    noted = {}
    show()
  })
  return {
    address,
    go: change => (flush(), write('pushState', change), show()),
    adjust: change => (write('replaceState', change), show()),
    note: change => {
      noted = { ...noted, ...change }
      clearTimeout(resting)
      resting = setTimeout(flush, REST_MS)
    },
    link: () => (flush(), location.href),
  }
}
