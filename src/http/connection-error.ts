/** Explains why a request got no answer. */

import { IngestError, messageOf, systemCodeOf } from '../errors.js'

/** The whole request was sent but no complete answer arrived, so it is unknown whether the envelope was applied. */
export class AnswerLost extends IngestError {}

export type ConnectionFailure = {
  readonly url: URL
  /** Whether the whole request was sent. */
  readonly sent: boolean
}

const HINTS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'check the name in --server',
  EAI_AGAIN: 'the name could not be looked up: check the network',
  ECONNREFUSED: 'check the port in --server, and whether the server runs',
}

/** Codes of TLS failures: OpenSSL's for untrusted certificates and servers without TLS, and Node's for a wrong host name. */
const UNTRUSTED =
  /^(?:EPROTO$|CERT_|ERR_TLS_CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(?:GET_ISSUER|VERIFY)|HOSTNAME_MISMATCH|INVALID_CA|ERR_SSL_)/

export function connectionError(error: unknown, { url, sent }: ConnectionFailure): IngestError {
  const cause = firstError(error)
  const code = systemCodeOf(cause) ?? ''
  const message = `${url.origin}: ${messageOf(cause)}`
  if (UNTRUSTED.test(code)) return new IngestError('target_misconfigured', message, { cause, hint: tlsHint(code) })
  if (sent) {
    const hint = 'whether the records were applied is unknown; running the same push again is safe'
    return new AnswerLost('target_unreachable', `${message}: the whole request was sent, but the answer is lost`, {
      cause,
      hint,
    })
  }
  const hint = HINTS[code]
  return new IngestError('target_unreachable', message, { cause, ...(hint !== undefined && { hint }) })
}

function tlsHint(code: string): string {
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_'))
    return 'check that the port in --server speaks TLS, or that --server says http://'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'give the name in --server that the certificate is for'
  if (code === 'CERT_HAS_EXPIRED') return 'the certificate must be renewed'
  return 'to trust another authority name its PEM file in NODE_EXTRA_CA_CERTS or SSL_CERT_FILE'
}

/** Takes the first error of an AggregateError. Node throws one without a message when a name has several addresses. */
function firstError(error: unknown): unknown {
  return error instanceof AggregateError ? (error.errors[0] as unknown) : error
}
