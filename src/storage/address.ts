/** Storage addresses: a folder, `s3://bucket/prefix?region=…`, or `memory:`. */

import { IngestError } from '../errors.js'
import { isKey } from './storage.js'

export type S3Address = {
  readonly kind: 's3'
  readonly bucket: string
  /** Without leading or trailing slash; empty for the whole bucket. */
  readonly prefix: string
  /** Default: from the environment and the AWS profile. */
  readonly region: string | undefined
  /** URL of an S3-compatible store. Default: from the environment and the AWS profile. */
  readonly endpoint: string | undefined
  /** Whether URLs are `endpoint/bucket/key` instead of `bucket.endpoint/key`. */
  readonly pathStyle: boolean
}

export type StorageAddress =
  { readonly kind: 'memory' } | { readonly kind: 'local'; readonly folder: string } | S3Address

const PARAMETERS = ['region', 'endpoint', 'path-style']
const HINT = 'name a folder, s3://BUCKET/PREFIX[?region=…&endpoint=…&path-style=true], or memory:'
/** Keeps a key of 900 bytes below the limit of S3, 1024 bytes. */
const MAX_PREFIX_BYTES = 120

/** @throws {IngestError} `usage` for an invalid address; the message repeats no secrets of the address */
export function parseStorageAddress(text: string): StorageAddress {
  if (text === 'memory:') return { kind: 'memory' }
  if (text.startsWith('s3://')) return parseS3(text.slice('s3://'.length))
  const [scheme] = /^[a-z][a-z0-9+.-]+:/i.exec(text) ?? []
  if (scheme !== undefined)
    throw refused(`unknown kind of storage ${scheme}…`, `${HINT}; write a folder of that name as ./…`)
  if (text.trim() === '' || text.includes('\0')) throw refused('missing folder name of the storage', HINT)
  return { kind: 'local', folder: text }
}

function parseS3(text: string): S3Address {
  const [location = '', ...query] = text.split('?')
  const [bucket = '', ...parts] = location.split('/')
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) throw refused('invalid or missing bucket name after s3://')
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
  if (new Set(names).size < names.length) throw refused('the s3:// address repeats a parameter')
  const pathStyle = given.get('path-style') ?? 'false'
  if (pathStyle !== 'true' && pathStyle !== 'false') throw refused('path-style must be true or false')
  const endpoint = given.get('endpoint') || undefined
  if (endpoint !== undefined) assertEndpoint(endpoint)
  return { region: given.get('region') || undefined, endpoint, pathStyle: pathStyle === 'true' }
}

function assertEndpoint(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) throw refused('endpoint must be an http(s) URL')
  if (url.username !== '' || url.password !== '')
    throw refused('endpoint must not contain credentials', 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead')
}

function refused(message: string, hint = HINT): IngestError {
  return new IngestError('usage', message, { hint })
}
