/** A body on the wire in gzip. */

import { createGzip } from 'node:zlib'
import { throughZlib } from '../../source/through-zlib.js'

/** @param level 1 to 9 */
export function gzipped(body: AsyncIterable<Uint8Array>, level: number): AsyncIterable<Uint8Array> {
  return throughZlib(body, createGzip({ level }))
}
