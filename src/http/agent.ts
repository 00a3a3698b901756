/** Creates the HTTP agent for one server. Connections stay open between envelopes and use the proxy if one is set. */

import { readFile } from 'node:fs/promises'
import type { Agent } from 'node:http'
import type { AgentOptions } from 'node:https'
import type { SecureContextOptions } from 'node:tls'
import { IngestError, messageOf } from '../errors.js'
import type { HttpAddress } from './address.js'

/** Creates the agent for an address. @throws {IngestError} `config_invalid` when a file of authorities cannot be read */
export async function agentFor({ base, proxy, authorities }: HttpAddress): Promise<Agent> {
  const secure = base.protocol === 'https:'
  const encrypted = secure || proxy?.protocol === 'https:'
  const options: AgentOptions = { keepAlive: true, maxSockets: 4, ...(encrypted && (await verifiedTls(authorities))) }
  if (proxy === undefined) {
    const { Agent } = secure ? await import('node:https') : await import('node:http')
    return new Agent(options)
  }
  const { forwardingAgent, tunnelAgent } = await import('./tunnel.js')
  return secure ? tunnelAgent(proxy, options) : forwardingAgent(proxy, options)
}

/**
 * TLS options that always verify the server.
 * @throws {IngestError} `config_invalid` when a file of authorities cannot be read
 */
export async function verifiedTls(
  authorities: readonly string[],
): Promise<SecureContextOptions & { readonly rejectUnauthorized: true }> {
  // Set explicitly, because otherwise NODE_TLS_REJECT_UNAUTHORIZED=0 would turn verification off.
  const verified = { rejectUnauthorized: true, minVersion: 'TLSv1.2' } as const
  if (authorities.length === 0) return verified
  return { ...verified, ca: await Promise.all(authorities.map(readAuthorities)) }
}

async function readAuthorities(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new IngestError('config_invalid', `cannot read the authorities in ${file}: ${messageOf(cause)}`, {
      cause,
      hint: 'SSL_CERT_FILE and NODE_EXTRA_CA_CERTS name PEM files',
    })
  }
}
