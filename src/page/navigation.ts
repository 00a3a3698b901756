/** The address of the page: who changes it, and who hears of it. */

import { formatAddress, parseAddress, type Address } from './address.js'

export type Navigation = {
  readonly address: () => Address
  /** A step that the browser's back button undoes. */
  readonly go: (change: Partial<Address>) => void
  /** A refinement: the same step, shown anew. */
  readonly adjust: (change: Partial<Address>) => void
  /** What is on the screen already. */
  readonly note: (change: Partial<Address>) => void
}

export function navigation(onChange: (address: Address) => void): Navigation {
  const address = (): Address => parseAddress(location.hash)
  const write = (method: 'pushState' | 'replaceState', change: Partial<Address>): void => {
    const hash = formatAddress({ ...address(), ...change })
    if (hash !== location.hash) history[method](null, '', hash)
  }
  const show = (): void => onChange(address())
  addEventListener('popstate', show)
  return {
    address,
    go: change => (write('pushState', change), show()),
    adjust: change => (write('replaceState', change), show()),
    note: change => write('replaceState', change),
  }
}
