/** What sinks do with their databases and servers, for who wants to be told. Costs nothing while nobody does. */

import { channel } from 'node:diagnostics_channel'

export type WireEvent = {
  readonly what: 'connected' | 'statement' | 'request'
  /** The database or the URL, without secrets. */
  readonly where: string
  readonly durationMs: number
  /** How a request was answered. */
  readonly status?: number
}

const wire = channel('vortex-ingest.wire')

export function onWire(listen: (event: WireEvent) => void): void {
  wire.subscribe(message => listen(message as WireEvent))
}

/** Runs `work` and tells how long it took; what fails is told by its error. */
export async function traced<T>(
  { what, where }: Pick<WireEvent, 'what' | 'where'>,
  work: () => Promise<T>,
  statusOf?: (answer: T) => number,
): Promise<T> {
  if (!wire.hasSubscribers) return work()
  const started = performance.now()
  const answer = await work()
  const durationMs = performance.now() - started
  wire.publish({ what, where, durationMs, ...(statusOf !== undefined && { status: statusOf(answer) }) })
  return answer
}
