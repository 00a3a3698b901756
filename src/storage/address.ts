/** Where a storage is, as people write it: a folder, `s3://bucket/prefix?region=…`, or `memory:`. */

import { IngestError } from '../errors.js'
import { isKey } from './storage.js'

export type S3Address = {
  readonly kind: 's3'
  readonly bucket: string
  /** Without slashes around it; empty for the whole bucket. */
  readonly prefix: string
  /** Default: what the environment and the profile say. */
  readonly region: string | undefined
  /** Of a store that is not AWS's. Default: what the environment and the profile say. */
  readonly endpoint: string | undefined
  /** `endpoint/bucket/key` in place of `bucket.endpoint/key`. */
  readonly pathStyle: boolean
}

export type StorageAddress =
  { readonly kind: 'memory' } | { readonly kind: 'local'; readonly folder: string } | S3Address

const PARAMETERS = ['region', 'endpoint', 'path-style']
const HINT = 'name a folder, s3://BUCKET/PREFIX[?region=…&endpoint=…&path-style=true], or memory:'
/** With that a key of 900 bytes stays below the 1024 of S3. */
const MAX_PREFIX_BYTES = 120

/** @throws {IngestError} `usage` for what is none, such as a typo in the scheme, without repeating secrets in it */
export function parseStorageAddress(text: string): StorageAddress {
  if (text === 'memory:') return { kind: 'memory' }
  if (text.startsWith('s3://')) return parseS3(text.slice('s3://'.length))
  const [scheme] = /^[a-z][a-z0-9+.-]+:/i.exec(text) ?? []
  if (scheme !== undefined) throw refused(`there is no storage at ${scheme}…`, `${HINT}; a folder of that name is ./…`)
  if (text.trim() === '' || text.includes('\0')) throw refused('a storage needs the name of a folder', HINT)
  return { kind: 'local', folder: text }
}

function parseS3(text: string): S3Address {
  const [place = '', ...query] = text.split('?')
  const [bucket = '', ...parts] = place.split('/')
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) throw refused('s3:// is not followed by the name of a bucket')
  const prefix = parts.join('/').replace(/\/$/, '')
  if (prefix !== '' && (!isKey(prefix) || Buffer.byteLength(prefix) > MAX_PREFIX_BYTES))
    throw refused(
      `the prefix in bucket ${bucket} has an empty, "." or ".." part, or more than ${MAX_PREFIX_BYTES} bytes`,
    )
  return { kind: 's3', bucket, prefix, ...parseParameters(query.join('?')) }
}

function parseParameters(query: string): Pick<S3Address, 'region' | 'endpoint' | 'pathStyle'> {
  const given = new URLSearchParams(query)
  const names = [...given.keys()]
  const unknown = names.find(name => !PARAMETERS.includes(name))
  if (unknown !== undefined) throw refused(`an s3:// address has no parameter ${unknown}`)
  if (new Set(names).size < names.length) throw refused('a parameter of the s3:// address is given twice')
  const pathStyle = given.get('path-style') ?? 'false'
  if (pathStyle !== 'true' && pathStyle !== 'false') throw refused('path-style is true or false')
  const endpoint = given.get('endpoint') || undefined
  if (endpoint !== undefined) assertEndpoint(endpoint)
  return { region: given.get('region') || undefined, endpoint, pathStyle: pathStyle === 'true' }
}

function assertEndpoint(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) throw refused('endpoint is an http(s) URL')
  if (url.username !== '' || url.password !== '')
    throw refused('endpoint has credentials in it', 'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are their place')
}

function refused(message: string, hint = HINT): IngestError {
  return new IngestError('usage', message, { hint })
}
