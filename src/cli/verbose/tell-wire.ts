/** Logs connections, SQL statements and HTTP requests. */

import { onWire, type WireEvent } from '../../sink/wire.js'
import { milliseconds, type Tell } from './tell.js'

/** Statements that take at least this long are logged individually. The many short ones are only summed up. */
const TOLD_ALONE_MS = 1000

/** @returns a function to call at the end, which logs the sums of the short statements */
export function tellWire(tell: Tell): () => void {
  const statements = new Map<string, { count: number; durationMs: number }>()
  onWire(event => {
    if (event.what !== 'statement' || event.durationMs >= TOLD_ALONE_MS) return tell(lineOf(event))
    const { count, durationMs } = statements.get(event.where) ?? { count: 0, durationMs: 0 }
    statements.set(event.where, { count: count + 1, durationMs: durationMs + event.durationMs })
  })
  return () => {
    for (const [where, { count, durationMs }] of statements)
      tell(`${where}: ${count} calls in ${milliseconds(durationMs)}`)
  }
}

function lineOf({ what, where, status, durationMs }: WireEvent): string {
  const took = milliseconds(durationMs)
  if (what === 'connected') return `connected to ${where} in ${took}`
  return what === 'request' ? `${where} answered ${status} in ${took}` : `${where}: a call took ${took}`
}
