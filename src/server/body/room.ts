/** Memory for a body that is to be walked over. */

import { SLACK } from '../../contract/words.js'

const LF = 0x0a

/**
 * A buffer for `length` bytes of a body and, as its last byte, the line feed that stops every step over them. Behind it
 * lies the room that reading words needs.
 */
export function withRoom(length: number): Buffer {
  const whole = Buffer.allocUnsafeSlow(length + 1 + SLACK)
  whole.fill(0, length)
  whole[length] = LF
  return whole.subarray(0, length + 1)
}
