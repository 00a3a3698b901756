/** Resolves host names. */

import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { IngestError, messageOf, systemCodeOf } from '../errors.js'
import { ok, type Check } from './finding.js'

const SHOWN = 4

/**
 * A check that resolves a host.
 * @param host a name or an address, with or without brackets
 */
export function namesCheck(host: string): Check {
  const name = host.replace(/^\[|\]$/g, '')
  return { name: 'dns', timeoutMs: 5_000, run: async () => [ok(await resolved(name))] }
}

/** Resolves a name as a connection does, including hosts files. */
async function resolved(name: string): Promise<string> {
  if (isIP(name) !== 0) return `${name} is an address, there is nothing to look up`
  try {
    const addresses = (await lookup(name, { all: true })).map(({ address }) => address)
    const more = addresses.length > SHOWN ? ` and ${addresses.length - SHOWN} more` : ''
    return `${name} is ${addresses.slice(0, SHOWN).join(', ')}${more}`
  } catch (cause) {
    if (systemCodeOf(cause) === 'ENOTFOUND')
      throw new IngestError('target_unreachable', `there is no host ${name}`, { cause, hint: 'check the name' })
    const hint = 'check the network and its name servers'
    throw new IngestError('target_unreachable', `${name} could not be looked up: ${messageOf(cause)}`, { cause, hint })
  }
}
