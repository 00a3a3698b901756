/** Allocates the buffer in which a body is scanned. */

import { SLACK } from '../../contract/words.js'

const LF = 0x0a

/**
 * Returns a buffer of `length` bytes for a body plus a final line feed, at which every scanning step stops.
 * The memory behind it is zero-filled padding, because scanning reads several bytes at a time and may read past the end.
 */
export function withRoom(length: number): Buffer {
  const whole = Buffer.allocUnsafeSlow(length + 1 + SLACK)
  whole.fill(0, length)
  whole[length] = LF
  return whole.subarray(0, length + 1)
}
