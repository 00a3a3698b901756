/** The default author of records about decisions, such as promotions and accepted changes. */

import { hostname, userInfo } from 'node:os'

/** The current user as `user@host`. */
export function thisUser(): string {
  return `${userName()}@${hostname()}`
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    // In a container the user may have no entry in the user database.
    return `user ${process.getuid?.() ?? ''}`.trim()
  }
}
