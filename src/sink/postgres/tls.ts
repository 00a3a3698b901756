/** `sslmode=verify-full` as it is meant: encrypted, a trusted authority, and the certificate is this host's. */
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { TLSSocket, checkServerIdentity } from 'node:tls'
import type { ConnectionOptions } from 'node:tls'
import { IngestError, messageOf } from '../../errors.js'
import { describeAddress } from './dsn.js'
import type { PostgresAddress } from './dsn.js'

export type TlsOptions = ConnectionOptions

/** @throws {IngestError} `config_invalid` when `sslrootcert` is not a readable file of certificates */
export async function tlsOptions({ tls, host, sslrootcert }: PostgresAddress): Promise<TlsOptions | false> {
  if (tls === 'off') return false
  return {
    minVersion: 'TLSv1.2',
    // Explicit, or NODE_TLS_REJECT_UNAUTHORIZED=0 would turn it off.
    rejectUnauthorized: true,
    // Bound to the URL's host: pg gives Node no server name for an IP address.
    checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
    // Postgres wants P-256 first; offering X25519 first costs a round trip.
    ecdhCurve: 'prime256v1:X25519',
    ...(sslrootcert !== undefined && { ca: await readAuthorities(sslrootcert) }),
  }
}

/** A last look at the connection itself, whatever led to it. */
export function assertVerified(stream: unknown, address: PostgresAddress): void {
  if (address.tls === 'off') return
  if (stream instanceof TLSSocket && stream.encrypted && stream.authorized) return
  throw new IngestError('target_misconfigured', `${describeAddress(address)}: the connection is not verified TLS`)
}

async function readAuthorities(file: string): Promise<string> {
  try {
    const text = await readFile(file, 'utf8')
    // Node ignores a file without certificates, and would then blame the server for having an unknown one.
    new X509Certificate(text)
    return text
  } catch (cause) {
    throw new IngestError('config_invalid', `cannot read certificates from sslrootcert ${file}: ${messageOf(cause)}`, {
      cause,
      hint: 'sslrootcert names a PEM file with the certificates of the authorities to trust',
    })
  }
}
