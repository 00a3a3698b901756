/** Diagnostics events for connections, statements and requests. They cost nothing while nobody listens. */

import { channel } from 'node:diagnostics_channel'
import { monotonicMs } from '../monotonic-time.js'

export type WireEvent = {
  readonly operation: 'connected' | 'statement' | 'request'
  /** The database, or the method and URL, without secrets. */
  readonly endpoint: string
  readonly durationMs: number
  /** The HTTP status of a request's answer. */
  readonly status?: number
}

const wire = channel('vortex-ingest.wire')

export function onWireEvent(listen: (event: WireEvent) => void): void {
  wire.subscribe(message => listen(message as WireEvent))
}

/**
 * Runs `work` and publishes an event with its duration. Failed work publishes no event, because its error is reported anyway.
 */
export async function traced<T>(
  { operation, endpoint }: Pick<WireEvent, 'operation' | 'endpoint'>,
  work: () => Promise<T>,
  statusOf?: (answer: T) => number,
): Promise<T> {
  if (!wire.hasSubscribers) return work()
  const started = monotonicMs()
  const answer = await work()
  const durationMs = monotonicMs() - started
  wire.publish({ operation, endpoint, durationMs, ...(statusOf !== undefined && { status: statusOf(answer) }) })
  return answer
}
