/** Completes the address of an HTTP service with the proxy and the certificate authorities of the environment. */

import type { Environment } from '../commit/ci.js'
import { IngestError } from '../errors.js'
import type { HttpAddress } from './address.js'

export async function siteAddress(base: URL, token: string | undefined, env: Environment): Promise<HttpAddress> {
  const files = ['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'].flatMap(name => env[name] || [])
  // Node applies NODE_EXTRA_CA_CERTS itself, but not when other authorities are given.
  const authorities = env['SSL_CERT_FILE'] ? files : []
  return Object.freeze({ base, token, proxy: await proxyFor(base, env), authorities })
}

/** The proxy for an address from the usual proxy variables. The package is loaded only when one of them is set. */
async function proxyFor(base: URL, env: Environment): Promise<URL | undefined> {
  if (!Object.keys(env).some(name => /^(?:npm_config_)?(?:https?|all)_proxy$/i.test(name))) return undefined
  const { getProxyForUrl } = await import('proxy-from-env')
  const proxy = getProxyForUrl(base.href)
  if (proxy === '') return undefined
  // Like curl, a proxy without a scheme is contacted over plain HTTP. The package would use the scheme of the target
  // address.
  const given = Object.values(env).includes(proxy) ? proxy : proxy.replace(/^https:/, 'http:')
  if (URL.canParse(given) && /^https?:$/.test(new URL(given).protocol)) return new URL(given)
  const hint = 'the form is http://user:password@proxy.example.com:3128'
  throw new IngestError('config_invalid', 'the proxy in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY is not a URL', {
    hint,
  })
}

export type ProxyVariables = {
  /** The variables that set a proxy for an address, the effective one first. */
  readonly variables: readonly string[]
  /** The variable that lists exceptions. */
  readonly exceptions: string | undefined
}

export function findProxyVariables({ protocol }: URL, env: Environment): ProxyVariables {
  const named = (name: string): readonly string[] => [name, name.toUpperCase()].filter(variable => env[variable])
  const variables = [`${protocol.replace(':', '')}_proxy`, 'all_proxy'].flatMap(named)
  return { variables, exceptions: named('no_proxy')[0] }
}

/** Checks that a token can be sent in a header. The error must not contain the token. @returns the token */
export function assertSendable(token: string, where: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new IngestError('auth_failed', `the token in ${where} holds characters that no token has`)
}
