/**
 * Framing of objects in S3: a header line, then the body.
 *
 *     vortex-ingest object 1 0f3c…(32 hex digits) 000000000300\n
 *
 * The header holds the layout version, a random id of the write and the length of the body. The id makes every content
 * unique. Without it, two writes of equal bodies would have the same ETag, which is a digest, and a version could recur.
 */

import { randomBytes } from 'node:crypto'
import { IngestError } from '../../errors.js'

export type Framed = { readonly writeId: string; readonly bytes: Buffer }

const MAGIC = 'vortex-ingest object '
const LENGTH_DIGITS = 12
const HEADER = /^vortex-ingest object 1 [0-9a-f]{32} (\d{12})\n$/

export const HEADER_BYTES = `${MAGIC}1 `.length + 32 + 1 + LENGTH_DIGITS + 1

/** Prepends a header with a new write id. */
export function frame(body: Buffer): Framed {
  const writeId = randomBytes(16).toString('hex')
  const length = String(body.length).padStart(LENGTH_DIGITS, '0')
  return { writeId, bytes: Buffer.concat([Buffer.from(`${MAGIC}1 ${writeId} ${length}\n`), body]) }
}

/**
 * Removes and checks the header.
 * @param name the object's name in messages
 * @throws {IngestError} `state_version` for another layout than 1, `state_corrupt` for a truncated object or one that
 * another program wrote
 */
export function unframe(bytes: Buffer, name: string): Buffer {
  const header = bytes.toString('latin1', 0, HEADER_BYTES)
  const body = bytes.subarray(HEADER_BYTES)
  const length = HEADER.exec(header)?.[1]
  if (length !== undefined && Number(length) === body.length) return body
  if (length !== undefined)
    throw new IngestError('state_corrupt', `${name} has ${body.length} of its ${Number(length)} bytes`)
  const version = header.startsWith(MAGIC) ? /^\d+(?= )/.exec(header.slice(MAGIC.length))?.[0] : undefined
  if (version === undefined || version === '1')
    throw new IngestError('state_corrupt', `${name} was not written by vortex-ingest`)
  const hint = 'use the version of vortex-ingest that wrote it'
  throw new IngestError('state_version', `${name} has layout ${version}; this program supports layout 1`, { hint })
}
