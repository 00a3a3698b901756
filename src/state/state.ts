/** State: durable memory of enqueued and delivered records, with the effects that a process needs to work on it. */

import type { Storage } from '../storage/storage.js'
import type { Owner } from './owner.js'

export type State = {
  readonly storage: Storage
  /** This process. */
  readonly owner: Owner
  readonly tools: StateTools
}

export type StateTools = {
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** A random number from 0 up to, but not including, 1. */
  readonly random: () => number
  /** Rejects with the signal's reason when the command is told to stop. */
  readonly sleep: (delayMs: number) => Promise<void>
  /** How long a lease is valid without renewal. */
  readonly leaseMs: number
}

/** The current time, RFC 3339 in UTC. */
export function timestamp({ tools }: State): string {
  return new Date(tools.now()).toISOString()
}
