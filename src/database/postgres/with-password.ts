/** Finds the password to log in with: the given one, otherwise one from a password file, otherwise an RDS token. */
import { mintToken, takesToken } from './aws-identity.js'
import type { PostgresAddress } from './dsn.js'
import { lookUpPassword } from './passfile.js'

/**
 * Returns the address with a password, or unchanged if none is found. A token is created for every connection, because it
 * expires and is valid for one host only.
 * @throws {IngestError} `config_invalid`, `auth_failed`
 */
export async function withPassword(address: PostgresAddress, now: () => Date): Promise<PostgresAddress> {
  if (address.password) return address
  const { aws, passfile } = address
  const filePassword = passfile === undefined ? undefined : await lookUpPassword(passfile, address)
  if (filePassword !== undefined) return { ...address, password: filePassword }
  if (aws === undefined || !takesToken(address)) return address
  return { ...address, password: await mintToken(address, aws, now()) }
}
