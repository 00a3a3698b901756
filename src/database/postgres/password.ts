/** Finds the password to log in with: the given one, otherwise one from a password file, otherwise an RDS token. */

import { open } from 'node:fs/promises'
import { IngestError, messageOf } from '../../errors.js'
import type { PostgresAddress } from './dsn.js'
import { mintToken, takesToken } from './rds-token.js'

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

/**
 * Finds the password in the first matching line of a file in libpq's format, `host:port:database:user:password`; undefined when
 * no line matches. `*` matches everything, and `\` escapes `:` and `\`.
 * @throws {IngestError} `config_invalid` when the file cannot be read, or other users can read it
 */
export async function lookUpPassword(file: string, address: PostgresAddress): Promise<string | undefined> {
  const { host, port, database, user } = address
  const expected = [host, String(port), database, user]
  for (const line of (await readPrivateFile(file)).split(/\r?\n/)) {
    if (line.startsWith('#')) continue
    const fields = splitLine(line)
    const matches = expected.every((value, index) => fields[index] === '*' || fields[index] === value)
    if (matches && fields[4]) return fields[4]
  }
  return undefined
}

/** Splits a line at `:` into fields. The fifth field is the password. */
function splitLine(line: string): readonly string[] {
  return [...line.matchAll(/((?:[^\\:]|\\[^]|\\$)*)(?::|$)/g)].map(([, field = '']) => field.replace(/\\([^])/g, '$1'))
}

/** Reads the file and rejects one that other users can read. libpq silently ignores such a file, which hides the mistake. */
async function readPrivateFile(file: string): Promise<string> {
  const hint = 'passfile and PGPASSFILE name a file of lines host:port:database:user:password, with mode 0600'
  try {
    const handle = await open(file)
    try {
      const { mode } = await handle.stat()
      if (process.platform !== 'win32' && (mode & 0o077) !== 0) throw new Error('other users can read it')
      return await handle.readFile('utf8')
    } finally {
      await handle.close()
    }
  } catch (cause) {
    throw new IngestError('config_invalid', `cannot use the password file ${file}: ${messageOf(cause)}`, {
      cause,
      hint,
    })
  }
}
