/** Durable memory of what was taken in and what was delivered, and what a process needs to work on it. */

import type { Storage } from '../storage/storage.js'
import type { Owner } from './owner.js'

export type State = {
  readonly storage: Storage
  /** Who works on it here. */
  readonly owner: Owner
  readonly tools: StateTools
}

export type StateTools = {
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** From 0 to 1. */
  readonly random: () => number
  /** Rejects with the signal's reason when the command is to stop. */
  readonly sleep: (delayMs: number) => Promise<void>
  /** How long an owner that says nothing is taken to be alive. */
  readonly leaseMs: number
}

export function timestamp({ tools }: State): string {
  return new Date(tools.now()).toISOString()
}
