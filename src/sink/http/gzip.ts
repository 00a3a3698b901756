/** A body on the wire in gzip. */

import { createGzip } from 'node:zlib'
import { throughZlib } from '../../source/through-zlib.js'

// Measured: higher levels cost more time than they save on the wire.
const LEVEL = 1

export function gzipped(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return throughZlib(body, createGzip({ level: LEVEL }))
}
