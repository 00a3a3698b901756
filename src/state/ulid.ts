/** Ids that sort by creation time: lower-case ULIDs. */

import { decodeTime, ulid } from 'ulid'

/** A globally unique id of 26 characters. @param now milliseconds since 1970 */
export function newId(now: number): string {
  return ulid(now).toLowerCase()
}

/** Creation time of an id, milliseconds since 1970. @param text an id, or a key that ends with one */
export function idTime(text: string): number {
  return decodeTime(text.slice(-26).toUpperCase())
}
