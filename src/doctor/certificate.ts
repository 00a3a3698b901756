/** Reads a server's TLS certificate and checks whether it is trusted. Only the TLS handshake is performed. */

import { once } from 'node:events'
import { isIP, type Socket } from 'node:net'
import { checkServerIdentity, connect, type ConnectionOptions, type DetailedPeerCertificate } from 'node:tls'
import { fail, ok, warn, type Finding } from './finding.js'

export type Presented = {
  readonly host: string
  readonly protocol: string
  /** The server's certificate first, then its issuers. If the chain is trusted, the last one is the trusted root. */
  readonly chain: readonly DetailedPeerCertificate[]
  /** The OpenSSL or Node error code that explains why the certificate is not trusted; undefined when it is. */
  readonly problem: string | undefined
}

/**
 * Performs a TLS handshake and returns the server's certificates.
 * @param socket a connection on which the server expects a TLS handshake
 * @param options the trusted authorities
 */
export async function presentedBy(socket: Socket, host: string, options: ConnectionOptions): Promise<Presented> {
  const secure = connect({
    ...options,
    socket,
    ...(isIP(host) === 0 && { servername: host }),
    checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
    // Untrusted certificates are accepted so that they can be examined. The connection is closed after the handshake.
    rejectUnauthorized: false,
  })
  // Without this listener, an error after the handshake would end the process.
  secure.on('error', () => undefined)
  try {
    await once(secure, 'secureConnect')
    // Node declares `authorizationError` as an Error, but it is an error code or a message.
    const problem = secure.authorized ? undefined : String(secure.authorizationError)
    return { host, protocol: secure.getProtocol() ?? 'TLS', chain: chainOf(secure.getPeerCertificate(true)), problem }
  } finally {
    secure.destroy()
  }
}

function chainOf(first: DetailedPeerCertificate): readonly DetailedPeerCertificate[] {
  const chain: DetailedPeerCertificate[] = []
  for (
    let one: DetailedPeerCertificate | undefined = first;
    one?.fingerprint256 !== undefined && !chain.some(({ fingerprint256 }) => fingerprint256 === one?.fingerprint256);
    one = one.issuerCertificate
  )
    chain.push(one)
  return chain
}

const DAY_MS = 86_400_000
const SOON_DAYS = 7

export type Judging = { readonly now: Date; readonly trustHint: string }

export function certificateFinding(
  { host, protocol, chain, problem }: Presented,
  { now, trustHint }: Judging,
): Finding {
  const path = chain.map(nameOf).join(' < ')
  if (problem !== undefined) {
    const { fact, hint } = meaningOf(problem, { host, chain, trustHint, now })
    return fail('target_misconfigured', `${fact} (${path})`, hint)
  }
  const end = Math.min(...chain.map(endOf))
  const days = Math.floor((end - now.getTime()) / DAY_MS)
  const fact = `${protocol}, ${path}, valid until ${dateOf(end)} (${days} days)`
  return days < SOON_DAYS ? warn(fact, 'renew it before it ends: a push is refused from then on') : ok(fact)
}

type Doubt = Judging & Pick<Presented, 'host' | 'chain'>

function meaningOf(problem: string, { host, chain, trustHint, now }: Doubt): { fact: string; hint: string } {
  const [own] = chain
  const ended = chain.find(one => endOf(one) < now.getTime())
  switch (problem) {
    case 'ERR_TLS_CERT_ALTNAME_INVALID': {
      const names = own?.subjectaltname?.replace(/\b(?:DNS|IP Address):/g, '') ?? nameOf(own)
      return { fact: `its certificate is for ${names}, not for ${host}`, hint: 'connect by a name that is in it' }
    }
    case 'CERT_HAS_EXPIRED': {
      const when = ended === undefined ? '' : ` on ${dateOf(endOf(ended))}`
      return { fact: `its certificate expired${when}`, hint: 'renew it, or check the clock of this machine' }
    }
    case 'CERT_NOT_YET_VALID':
      return { fact: 'its certificate is not valid yet', hint: 'check the clock of this machine' }
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return { fact: 'its certificate is self-signed', hint: trustHint }
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return { fact: 'its certificate is from an authority that is not trusted here', hint: trustHint }
    default:
      return { fact: `its certificate is refused: ${problem}`, hint: 'check the certificate of the server' }
  }
}

function nameOf(certificate: DetailedPeerCertificate | undefined): string {
  const { CN, O } = (certificate?.subject ?? {}) as { CN?: string | string[]; O?: string | string[] }
  return [CN ?? O ?? 'a certificate without a name'].flat().join(' ')
}

const endOf = ({ valid_to: end }: DetailedPeerCertificate): number => Date.parse(end)

const dateOf = (time: number): string => new Date(time).toISOString().slice(0, 10)
