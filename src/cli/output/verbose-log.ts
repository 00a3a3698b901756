/** The `--verbose` log of settings, connections, SQL statements, HTTP requests and deliveries. */

import type { Emit } from '../../delivery/events.js'
import { messageOf } from '../../errors.js'
import { onWireEvent, type WireEvent } from '../../http/wire-events.js'
import type { Command } from 'commander'
import { TARGET_KINDS } from '../../targets/kinds.js'
import { listSettings, type GivenFlags } from '../../targets/settings.js'

type Log = (line: string) => void

/** Statements that take at least this long are logged individually. The many short ones are only summed up. */
const LOGGED_ALONE_MS = 1000

/** @returns a function to call at the end, which logs the sums of the short statements */
export function logWire(log: Log): () => void {
  const statements = new Map<string, { count: number; durationMs: number }>()
  onWireEvent(event => {
    if (event.operation !== 'statement' || event.durationMs >= LOGGED_ALONE_MS) return log(wireLine(event))
    const { count, durationMs } = statements.get(event.endpoint) ?? { count: 0, durationMs: 0 }
    statements.set(event.endpoint, { count: count + 1, durationMs: durationMs + event.durationMs })
  })
  return () => {
    for (const [where, { count, durationMs }] of statements) log(`${where}: ${count} calls in ${tookText(durationMs)}`)
  }
}

function wireLine({ operation, endpoint, status, durationMs }: WireEvent): string {
  const took = tookText(durationMs)
  if (operation === 'connected') return `connected to ${endpoint} in ${took}`
  return operation === 'request' ? `${endpoint} answered ${status} in ${took}` : `${endpoint}: a call took ${took}`
}

/** Logs when a target is opened, and its deliveries and retries. */
export function logDeliveries(log: Log): Emit {
  return event => {
    if (event.type === 'opened') log(`${event.target.name}: opened in ${tookText(event.durationMs)}`)
    if (event.type === 'retried') log(`${event.target.name}: retrying ${event.source}: ${messageOf(event.error)}`)
    if (event.type !== 'applied') return
    const { records, inserted, updated, isOrdered, hasOrigin } = event.receipt
    const unordered = isOrdered !== false ? '' : ', deliveries are not ordered: a late one may replace newer values'
    const untraced = hasOrigin !== false ? '' : ', where the values come from is not stored'
    const numbers = `${records} records, ${inserted} inserted, ${updated} updated${unordered}${untraced}`
    log(`${event.target.name}: ${event.source} in ${tookText(event.durationMs)}: ${numbers}`)
  }
}

function tookText(durationMs: number): string {
  return durationMs < 10_000 ? `${Math.round(durationMs)} ms` : `${(durationMs / 1000).toFixed(1)} s`
}

/**
 * Flags whose values are not logged: the URL of a webhook is a secret, and a user may have given the secret itself where the
 * name of its variable belongs.
 */
const NOT_LOGGED = ['tokenEnv', 'secretEnv', 'webhook']

export async function logSettings(flags: GivenFlags, command: Command, log: Log): Promise<void> {
  for (const { name, value, origin } of namesTargets(command) ? await listSettings(flags) : flagSettings(flags))
    log(`${name}: ${value} (${origin})`)
}

/** Whether the command has the flags of all targets. Its settings then include more than its given flags. */
function namesTargets(command: Command): boolean {
  return [...TARGET_KINDS.map(({ address }) => address), 'state'].every(name =>
    command.options.some(option => option.name() === name),
  )
}

function flagSettings({ flags, origins }: GivenFlags) {
  const values = new Map<string, unknown>(Object.entries(flags))
  return [...origins].map(([name, origin]) => {
    const value = NOT_LOGGED.includes(name) ? 'set' : String(values.get(name))
    return { name, value, origin }
  })
}
