/** The address of an ingest service, with its token, proxy and trusted certificates. */

import { IngestError } from '../errors.js'
import { BlockList, isIP } from 'node:net'

export type HttpAddress = {
  /** An `http:` or `https:` URL without user, query and fragment. Its path has no trailing slash. */
  readonly base: URL
  /** Sent as `Authorization: Bearer …`. Undefined sends no such header. */
  readonly token: string | undefined
  readonly proxy: URL | undefined
  /** PEM files of the certificate authorities to trust instead of Node's defaults. Empty keeps the defaults. */
  readonly authorities: readonly string[]
}

/**
 * Parses the URL of an ingest service. A trailing `/api/ingest` is removed.
 * @param name name of the flag or variable that contains the URL, for messages
 * @throws {IngestError} `usage`. No message repeats the URL, because it may contain a password
 */
export function parseServerUrl(text: string, name = '--server'): URL {
  const hint = 'the form is https://ingest.example.com'
  if (!URL.canParse(text)) throw new IngestError('usage', `${name} is not a URL`, { hint })
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new IngestError('usage', `${name} must start with https:// or http://`, { hint })
  if (url.username !== '' || url.password !== '')
    throw new IngestError('usage', `${name} holds a user or password`, {
      hint: 'give the token in INGEST_BEARER_TOKEN, or name its variable or file with --token-env or --token-file',
    })
  if (url.search !== '' || url.hash !== '')
    throw new IngestError('usage', `${name} must not have a query or fragment`, { hint })
  url.pathname = url.pathname.replace(/\/+$/, '').replace(/\/api\/ingest$/, '')
  return url
}

/** The URL of one of the server's routes. @param path starts with a slash and may have a query */
export function routeUrl(base: URL, path: string): URL {
  return new URL(`${describeServer(base)}${path}`)
}

/** The server's URL without a trailing slash, for messages. */
export function describeServer(base: URL): string {
  return base.href.replace(/\/+$/, '')
}

/** @param name a host name, or an IP address with or without brackets */
export function isLoopback(name: string): boolean {
  const host = name.replace(/^\[|\]$/g, '')
  const version = isIP(host)
  if (version === 0) return host.toLowerCase() === 'localhost'
  const loopback = new BlockList()
  loopback.addSubnet('127.0.0.0', 8, 'ipv4')
  loopback.addAddress('::1', 'ipv6')
  return loopback.check(host, version === 4 ? 'ipv4' : 'ipv6')
}
