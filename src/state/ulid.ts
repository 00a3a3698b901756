/** Names that sort by the moment they were made at: lower-case ULIDs. */

import { decodeTime, ulid } from 'ulid'

/** 26 characters, unique everywhere. @param now milliseconds since 1970 */
export function newId(now: number): string {
  return ulid(now).toLowerCase()
}

/** When an id was made, milliseconds since 1970. @param text ends with an id */
export function idTime(text: string): number {
  return decodeTime(text.slice(-26).toUpperCase())
}
