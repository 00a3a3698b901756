/** Copies from a MySQL or MariaDB database. */

import { readFileSync } from 'node:fs'
import type { Environment } from '../../../commit/ci.js'
import { IngestError } from '../../../errors.js'
import { isLoopback } from '../../../http/address.js'
import { redact } from '../../../redact.js'
import type { CopySource } from '../copy-source.js'
import { rowSource } from '../row-batches.js'

const DEFAULT_PORT = 3306

/**
 * @param address `mysql://user:password@host:port/database`, with `?ssl-ca=FILE` for an authority of its own
 * @throws {IngestError} `usage` for an invalid address
 */
export function mysqlSource(address: string, env: Environment, signal: AbortSignal): CopySource {
  const url = URL.canParse(address) ? new URL(address) : undefined
  const database = decodeURIComponent(url?.pathname.slice(1) ?? '')
  const unknown = [...(url?.searchParams.keys() ?? [])].find(name => name !== 'ssl-ca')
  if (url === undefined || url.hostname === '' || database === '' || unknown !== undefined)
    throw new IngestError('usage', `${redact(address)} is no address of a MySQL database`, {
      hint: 'write mysql://USER@HOST:PORT/DATABASE[?ssl-ca=FILE], with the password in MYSQL_PWD',
    })
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = Number(url.port) || DEFAULT_PORT
  const user = decodeURIComponent(url.username)
  const description = `mysql://${user === '' ? '' : `${user}@`}${url.hostname}:${port}/${database}`
  return {
    id: `mysql:${host}:${port}/${database}`,
    description,
    async read(filter, work) {
      const { openMysql } = await import('../../../database/mysql-reader.js')
      const password = decodeURIComponent(url.password) || env['MYSQL_PWD'] || undefined
      const connection = { host, port, user, database, ...(password !== undefined && { password }), ...tls(url) }
      const reader = await openMysql({ connection, description, filter, signal })
      try {
        return await work(await rowSource(reader, { ...filter, description }))
      } finally {
        reader.close()
      }
    },
  }
}

/** The certificate of another machine is always verified. */
function tls({ hostname, searchParams }: URL): {
  readonly ssl?: { readonly ca?: string; readonly verifyIdentity: true }
} {
  const file = searchParams.get('ssl-ca')
  if (file === null) return isLoopback(hostname) ? {} : { ssl: { verifyIdentity: true } }
  try {
    return { ssl: { ca: readFileSync(file, 'utf8'), verifyIdentity: true } }
  } catch (cause) {
    throw new IngestError('config_invalid', `cannot read the certificates in ${file}`, { cause })
  }
}
