/** Compares bearer tokens in constant time, so that the duration reveals nothing about them. */

import { createHash, timingSafeEqual } from 'node:crypto'

const SCHEME = 'Bearer '

/** @returns a function that tells whether an Authorization header carries `token`; the scheme must be exactly `Bearer ` */
export function bearerCheck(token: string): (header: string | undefined) => boolean {
  const expected = digest(Buffer.from(token))
  return header => {
    // Node decodes headers as Latin-1. Both tokens are hashed, so that timingSafeEqual gets buffers of equal length.
    const given = Buffer.from(header?.startsWith(SCHEME) === true ? header.slice(SCHEME.length) : '', 'latin1')
    return timingSafeEqual(digest(given), expected) && given.length > 0
  }
}

function digest(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}
