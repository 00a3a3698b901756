/** Who changes something, where nobody says so. */

import { hostname, userInfo } from 'node:os'

/** `user@host`. */
export function thisUser(): string {
  return `${userName()}@${hostname()}`
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    // A container's user may have no entry.
    return `user ${process.getuid?.() ?? ''}`.trim()
  }
}
