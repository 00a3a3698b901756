/** Logs connections, SQL statements and HTTP requests. */

import { onWireEvent, type WireEvent } from '../../../http/wire-events.js'
import { milliseconds, type Tell } from './tell.js'

/** Statements that take at least this long are logged individually. The many short ones are only summed up. */
const TOLD_ALONE_MS = 1000

/** @returns a function to call at the end, which logs the sums of the short statements */
export function tellWire(tell: Tell): () => void {
  const statements = new Map<string, { count: number; durationMs: number }>()
  onWireEvent(event => {
    if (event.operation !== 'statement' || event.durationMs >= TOLD_ALONE_MS) return tell(lineOf(event))
    const { count, durationMs } = statements.get(event.endpoint) ?? { count: 0, durationMs: 0 }
    statements.set(event.endpoint, { count: count + 1, durationMs: durationMs + event.durationMs })
  })
  return () => {
    for (const [where, { count, durationMs }] of statements)
      tell(`${where}: ${count} calls in ${milliseconds(durationMs)}`)
  }
}

function lineOf({ operation, endpoint, status, durationMs }: WireEvent): string {
  const took = milliseconds(durationMs)
  if (operation === 'connected') return `connected to ${endpoint} in ${took}`
  return operation === 'request' ? `${endpoint} answered ${status} in ${took}` : `${endpoint}: a call took ${took}`
}
