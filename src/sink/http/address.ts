/** Where path A's server is, and how it is talked to. */

import { IngestError } from '../../errors.js'

export type HttpAddress = {
  /** `http:` or `https:`, without user, query and fragment; its path ends without a slash. */
  readonly base: URL
  /** Sent as `Authorization: Bearer …`; undefined sends none. */
  readonly token: string | undefined
  readonly proxy: URL | undefined
  /** PEM files with the authorities to trust in place of Node's own. */
  readonly authorities: readonly string[]
}

/**
 * @param name of the flag or variable that holds it
 * @throws {IngestError} `usage`; no message repeats a URL that holds a password
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
    throw new IngestError('usage', `${name} has a query or fragment, and takes neither`, { hint })
  url.pathname = url.pathname.replace(/\/+$/, '').replace(/\/api\/ingest$/, '')
  return url
}

/** The address of one of the server's routes. @param path starts with a slash */
export function routeUrl(base: URL, path: string): URL {
  return new URL(`${describeServer(base)}${path}`)
}

/** The server as messages call it. */
export function describeServer(base: URL): string {
  return base.href.replace(/\/+$/, '')
}
