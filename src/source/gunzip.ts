/** gzip: one or more members. */

import { createGunzip } from 'node:zlib'
import { throughZlib, UNPACKED_CHUNK_BYTES } from './through-zlib.js'

/** @param packed the bytes of one or more gzip members @throws when one is damaged or cut short, or other bytes follow */
export function gunzip(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  return throughZlib(packed, createGunzip({ chunkSize: UNPACKED_CHUNK_BYTES }))
}
