/** A body on the wire in gzip. */

import { createGzip } from 'node:zlib'
import { throughZlib } from '../../source/through-zlib.js'

/** What follows when a server seems to refuse gzip: the error, or the same body again as it is. */
export type WhenGzipRefused = 'fail' | 'resend'

/** @param level 1 to 9 */
export function gzipped(body: AsyncIterable<Uint8Array>, level: number): AsyncIterable<Uint8Array> {
  return throughZlib(body, createGzip({ level }))
}
