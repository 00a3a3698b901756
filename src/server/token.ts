/** Compares a bearer token with the one that is expected, in a time that says nothing about either. */

import { createHash, timingSafeEqual } from 'node:crypto'

const SCHEME = 'Bearer '

/** @returns whether an Authorization header carries `token`; the scheme is exactly `Bearer ` */
export function bearerCheck(token: string): (header: string | undefined) => boolean {
  const expected = digest(Buffer.from(token))
  return header => {
    // Node reads headers as Latin-1. Hashed first, so that both sides have one length.
    const given = Buffer.from(header?.startsWith(SCHEME) === true ? header.slice(SCHEME.length) : '', 'latin1')
    return timingSafeEqual(digest(given), expected) && given.length > 0
  }
}

function digest(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}
