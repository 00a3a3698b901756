/** Configuration of HTTP services: the ingest service of path A, and the website that shows the measurements. */

import { readFile } from 'node:fs/promises'
import type { Environment } from '../commit/ci.js'
import { IngestError, messageOf } from '../errors.js'
import { describeServer, parseServerUrl, type HttpAddress } from '../http/address.js'
import type { WhenGzipRefused } from '../http/gzip.js'
import { isLoopback } from '../http/loopback.js'
import { DEFAULT_ENVELOPE_BYTES } from '../database/tunables.js'

export type ServerFlags = {
  readonly server?: string
  readonly tokenEnv?: string
  readonly tokenFile?: string
  readonly timeout?: number
  readonly retries?: number
  readonly retryDeadline?: number
  readonly maxEnvelopeBytes?: number
  readonly compress?: CompressMode
}

/** When bodies are sent as gzip. `auto` sends gzip until the server refuses it. */
export type CompressMode = 'always' | 'auto' | 'never'

export type ServerConfig = {
  readonly address: HttpAddress
  readonly idleTimeoutMs: number
  /** Tries after the first. */
  readonly retries: number
  readonly retryDeadlineMs: number
  readonly maxEnvelopeBytes: number
  /** From 1 to 9; 0 sends bodies uncompressed. */
  readonly gzipLevel: number
  readonly whenGzipRefused: WhenGzipRefused
}

// Measured: higher levels cost more time than they save on the wire.
const COMPRESS_LEVEL = 1

export function gzipLevelOf(mode: CompressMode): number {
  return mode === 'never' ? 0 : COMPRESS_LEVEL
}

export async function serverConfig(flags: ServerFlags, env: Environment): Promise<ServerConfig | undefined> {
  if (flags.server === undefined) return undefined
  const base = parseServerUrl(flags.server)
  const address = await siteAddress(base, await serverToken(base, flags, env), env)
  return Object.freeze({ address, ...serverLimits(flags) })
}

/** Timeouts, retries and envelope size from the flags. */
export function serverLimits(flags: ServerFlags): Omit<ServerConfig, 'address'> {
  return {
    idleTimeoutMs: silenceMsOf(flags),
    retries: flags.retries ?? 8,
    retryDeadlineMs: (flags.retryDeadline ?? 120) * 1000,
    maxEnvelopeBytes: flags.maxEnvelopeBytes ?? DEFAULT_ENVELOPE_BYTES,
    gzipLevel: gzipLevelOf(flags.compress ?? 'never'),
    whenGzipRefused: flags.compress === 'auto' ? 'resend' : 'fail',
  }
}

/** A server that is only read from, which needs no token. */
export type ReadServerConfig = {
  readonly kind: 'server'
  readonly address: HttpAddress
  readonly idleTimeoutMs: number
}

export async function readServerConfig(flags: ServerFlags, env: Environment): Promise<ReadServerConfig | undefined> {
  if (flags.server === undefined) return undefined
  const address = await siteAddress(parseServerUrl(flags.server), undefined, env)
  return Object.freeze({ kind: 'server', address, idleTimeoutMs: silenceMsOf(flags) })
}

function silenceMsOf({ timeout = 120 }: ServerFlags): number {
  return timeout * 1000
}

/**
 * The bearer token for a server.
 * @throws {IngestError} `auth_failed` when there is none, unless the server is on this machine
 * @throws {IngestError} `usage` when flags name two tokens
 */
export async function serverToken(base: URL, flags: ServerFlags, env: Environment): Promise<string | undefined> {
  const token = await bearerToken(flags, env)
  if (token === undefined && !isLoopback(base.hostname)) {
    const hint = `set ${flags.tokenEnv ?? 'INGEST_BEARER_TOKEN'}, or name a variable or a file with --token-env or --token-file`
    throw new IngestError('auth_failed', `no token for ${describeServer(base)}`, { hint })
  }
  return token
}

/** The address of an HTTP service, with the proxy and certificate authorities to use. */
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
  throw new IngestError('config_invalid', 'the proxy in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY is no URL of one', {
    hint,
  })
}

/** The variables that set a proxy for this address, the effective one first, and the variable that lists exceptions. */
export function proxyOf(
  { protocol }: URL,
  env: Environment,
): { readonly variables: readonly string[]; readonly exceptions: string | undefined } {
  const named = (name: string): readonly string[] => [name, name.toUpperCase()].filter(variable => env[variable])
  const variables = [`${protocol.replace(':', '')}_proxy`, 'all_proxy'].flatMap(named)
  return { variables, exceptions: named('no_proxy')[0] }
}

/** Reads the token from a variable or file. It is never a flag value, because process lists show those. */
async function bearerToken({ tokenEnv, tokenFile }: ServerFlags, env: Environment): Promise<string | undefined> {
  if (tokenEnv !== undefined && tokenFile !== undefined)
    throw new IngestError('usage', '--token-env and --token-file name two tokens', { hint: 'give one of them' })
  const [where, text] =
    tokenFile === undefined
      ? [tokenEnv ?? 'INGEST_BEARER_TOKEN', env[tokenEnv ?? 'INGEST_BEARER_TOKEN']]
      : [tokenFile, await readToken(tokenFile)]
  const token = text?.trim() ?? ''
  if (token !== '') return checkToken(token, where)
  if (tokenEnv === undefined && tokenFile === undefined) return undefined
  if (tokenFile !== undefined || isVariableName(where))
    throw new IngestError('auth_failed', `there is no token in ${where}`)
  throw new IngestError('auth_failed', 'there is no token in the variable that --token-env names', {
    hint: '--token-env takes the name of a variable, such as INGEST_BEARER_TOKEN, not the token',
  })
}

/** Whether a text looks like a variable name. Any other text may be the token itself, given by mistake. */
export function isVariableName(text: string): boolean {
  return /^[A-Z][A-Z0-9_]*$/.test(text)
}

async function readToken(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new IngestError('auth_failed', `cannot read the token: ${messageOf(cause)}`, { cause })
  }
}

/** Checks that a token can be sent in a header. The error must not contain the token. */
function checkToken(token: string, where: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new IngestError('auth_failed', `the token in ${where} holds characters that no token has`)
}

/** The website to notify of new data after a write (contract section 4). */
export type SiteConfig = { readonly address: HttpAddress; readonly warm: boolean }

/**
 * The website's configuration; undefined when there is no website to notify.
 * @throws {IngestError} when the variables are invalid, which must not fail a push
 */
export async function siteConfig(
  flags: { readonly revalidate?: boolean; readonly warm?: boolean },
  env: Environment,
): Promise<SiteConfig | undefined> {
  const [url, token] = [env['BENCH_SITE_BASE_URL'], env['BENCH_REVALIDATE_TOKEN']]
  if (!url || !token || flags.revalidate === false) return undefined
  const base = parseServerUrl(url, 'BENCH_SITE_BASE_URL')
  const address = await siteAddress(base, checkToken(token.trim(), 'BENCH_REVALIDATE_TOKEN'), env)
  return Object.freeze({ address, warm: flags.warm !== false })
}
