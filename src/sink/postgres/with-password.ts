/** What to log in with: the password that was given, else one from a file, else a token. */
import { mintToken, takesToken } from './aws-identity.js'
import type { PostgresAddress } from './dsn.js'
import { lookUpPassword } from './passfile.js'

/**
 * The address with a password, if there is any to be had. A token is made anew for every connection: it expires, and
 * is bound to the host.
 * @throws {IngestError} `config_invalid`, `auth_failed`
 */
export async function withPassword(address: PostgresAddress, now: () => Date): Promise<PostgresAddress> {
  if (address.password) return address
  const { aws, passfile } = address
  const kept = passfile === undefined ? undefined : await lookUpPassword(passfile, address)
  if (kept !== undefined) return { ...address, password: kept }
  if (aws === undefined || !takesToken(address)) return address
  return { ...address, password: await mintToken(address, aws, now()) }
}
