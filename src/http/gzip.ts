/** Compresses request bodies with gzip. */

import { createGzip } from 'node:zlib'
import { throughZlib } from '../source/gunzip.js'

/** The reaction to a server that seems to reject gzip: fail with its error, or send the body again uncompressed. */
export type WhenGzipRefused = 'fail' | 'resend'

/** Compresses a body. @param level 1 (fastest) to 9 (smallest) */
export function gzipped(body: AsyncIterable<Uint8Array>, level: number): AsyncIterable<Uint8Array> {
  return throughZlib(body, createGzip({ level }))
}
