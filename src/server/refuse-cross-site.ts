/** Refuses requests that web pages of other sites cause, for a server without a token, which trusts everything on its machine. */

import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isLoopback } from '../http/address.js'

/**
 * A page of another site can reach this server in two ways. With DNS rebinding, `Host` is the name of the other site. With a
 * cross-site request, `Origin` or `Sec-Fetch-Site` shows the other site. Browsers set these headers and pages cannot change
 * them.
 * @returns why the request is refused; undefined when it is not
 */
function crossSiteProblem(method: string, headers: IncomingHttpHeaders): string | undefined {
  const { host = '', origin } = headers
  const name = host.replace(/:\d*$/, '')
  if (!isLoopback(name)) return `without a token, this server answers only to localhost, not to ${JSON.stringify(name)}`
  const isSame = origin === undefined || origin.toLowerCase() === `http://${host.toLowerCase()}`
  if (isSame && (isOwnPage(headers) || isNavigation(method, headers))) return undefined
  return 'without a token, this server refuses requests from pages of other sites'
}

function isOwnPage({ 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  return site === undefined || site === 'same-origin' || site === 'none'
}

/** A link to this server from another page. The other page cannot read the answer. */
function isNavigation(
  method: string,
  { 'sec-fetch-mode': mode, 'sec-fetch-dest': dest }: IncomingHttpHeaders,
): boolean {
  return (method === 'GET' || method === 'HEAD') && mode === 'navigate' && dest === 'document'
}

export async function refuseCrossSite(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const message = crossSiteProblem(request.method, request.headers)
  return message === undefined ? undefined : reply.code(403).send({ error: 'forbidden', message })
}
