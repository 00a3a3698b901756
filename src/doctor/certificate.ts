/** What a server shows for a certificate, and whether it would be trusted. Nothing is sent to it. */

import { once } from 'node:events'
import { isIP, type Socket } from 'node:net'
import { checkServerIdentity, connect, type ConnectionOptions, type DetailedPeerCertificate } from 'node:tls'
import { fail, ok, warn, type Finding } from './finding.js'

export type Presented = {
  readonly host: string
  readonly protocol: string
  /** The server's own first; the last is the one that is trusted, if any is. */
  readonly chain: readonly DetailedPeerCertificate[]
  /** Why it is not trusted: OpenSSL's or Node's code. */
  readonly problem: string | undefined
}

/** @param socket where the server waits for a TLS handshake @param options say whom to trust */
export async function presentedBy(socket: Socket, host: string, options: ConnectionOptions): Promise<Presented> {
  const secure = connect({
    ...options,
    socket,
    ...(isIP(host) === 0 && { servername: host }),
    checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
    // To see what is wrong: the connection ends with the handshake.
    rejectUnauthorized: false,
  })
  // A second error, or one after the handshake, is nobody's any more, and would end the process.
  secure.on('error', () => undefined)
  try {
    await once(secure, 'secureConnect')
    // Node's types say an error; it is its code, or its message.
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
