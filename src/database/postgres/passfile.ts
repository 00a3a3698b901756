/** Looks up passwords in a file of libpq's format, with lines `host:port:database:user:password`. */
import { open } from 'node:fs/promises'
import { IngestError, messageOf } from '../../errors.js'
import type { PostgresAddress } from './dsn.js'

/**
 * Finds the password in the first matching line; undefined when no line matches. In the file `*` matches everything, and `\`
 * escapes `:` and `\`.
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
