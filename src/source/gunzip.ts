/** Decompresses gzip. */

import { createGunzip } from 'node:zlib'
import { throughZlib, UNPACKED_CHUNK_BYTES } from './through-zlib.js'

/**
 * Decompresses gzip data.
 * @param packed one or more gzip members
 * @throws when a member is damaged or truncated, or when other bytes follow
 */
export function gunzip(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  return throughZlib(packed, createGunzip({ chunkSize: UNPACKED_CHUNK_BYTES }))
}
