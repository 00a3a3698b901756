/** Looks a password up in a file of libpq's format: `host:port:database:user:password`, a line each. */
import { open } from 'node:fs/promises'
import { IngestError, messageOf } from '../../errors.js'
import type { PostgresAddress } from './dsn.js'

/**
 * The password of the first line that fits, undefined when none does. `*` fits all, `\` takes `:` and `\` as they are.
 * @throws {IngestError} `config_invalid` when the file cannot be read, or by others too
 */
export async function lookUpPassword(file: string, address: PostgresAddress): Promise<string | undefined> {
  const { host, port, database, user } = address
  const wanted = [host, String(port), database, user]
  for (const line of (await readPrivately(file)).split(/\r?\n/)) {
    if (line.startsWith('#')) continue
    const fields = splitLine(line)
    const fits = wanted.every((value, index) => fields[index] === '*' || fields[index] === value)
    if (fits && fields[4]) return fields[4]
  }
  return undefined
}

/** The password is what follows the fourth `:`, up to the next. */
function splitLine(line: string): readonly string[] {
  return [...line.matchAll(/((?:[^\\:]|\\[^]|\\$)*)(?::|$)/g)].map(([, field = '']) => field.replace(/\\([^])/g, '$1'))
}

/** libpq leaves out a file that others may read; a password that somebody meant to give must not vanish unseen. */
async function readPrivately(file: string): Promise<string> {
  const hint = 'passfile and PGPASSFILE name a file of lines host:port:database:user:password, with mode 0600'
  try {
    const handle = await open(file)
    try {
      const { mode } = await handle.stat()
      if (process.platform !== 'win32' && (mode & 0o077) !== 0) throw new Error('others may read it')
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
