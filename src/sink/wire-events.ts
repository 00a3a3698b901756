/** What sinks do with their databases and servers, for who wants to be told. Costs nothing while nobody does. */

import { channel } from 'node:diagnostics_channel'

export type WireEvent = {
  readonly operation: 'connected' | 'statement' | 'request'
  /** The database or the URL, without secrets. */
  readonly endpoint: string
  readonly durationMs: number
  /** How a request was answered. */
  readonly status?: number
}

const wire = channel('vortex-ingest.wire')

export function onWireEvent(listen: (event: WireEvent) => void): void {
  wire.subscribe(message => listen(message as WireEvent))
}

/** Runs `work` and tells how long it took; what fails is told by its error. */
export async function traced<T>(
  { operation, endpoint }: Pick<WireEvent, 'operation' | 'endpoint'>,
  work: () => Promise<T>,
  statusOf?: (answer: T) => number,
): Promise<T> {
  if (!wire.hasSubscribers) return work()
  const started = performance.now()
  const answer = await work()
  const durationMs = performance.now() - started
  wire.publish({ operation, endpoint, durationMs, ...(statusOf !== undefined && { status: statusOf(answer) }) })
  return answer
}
