/** The address of the page: who changes it, and who hears of it. */

import { formatAddress, parseAddress, type Address } from './address.js'

export type Navigation = {
  readonly address: () => Address
  /** A step that the browser's back button undoes. */
  readonly go: (change: Partial<Address>) => void
  /** A refinement: the same step, shown anew. */
  readonly adjust: (change: Partial<Address>) => void
  /** What is on the screen already, written when it rests: browsers bear few writes a second. */
  readonly note: (change: Partial<Address>) => void
}

/** Longer than between two frames of a gesture. */
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
  }
}
