/** Postgres as a target. */

import { setTimeout as sleep } from 'node:timers/promises'
import { applyDelivery } from '../apply.js'
import { CONFLICT_RETRY, withRetry } from '../retry.js'
import type { Sink, SinkOpener } from '../sink.js'
import { receiptOf } from '../sink.js'
import { connectPostgres } from './connect.js'
import { describeAddress, type PostgresAddress } from './dsn.js'
import { isRetryable } from './errors.js'

export type PostgresSinkOptions = { readonly random: () => number }

/** Connects at once; a file that loses a deadlock or a serialization conflict is applied again from its start. */
export function postgresSink(address: PostgresAddress, options: PostgresSinkOptions): SinkOpener {
  return {
    description: describeAddress(address),
    early: true,
    open: signal => openSink(address, { ...options, signal }),
  }
}

type OpenOptions = PostgresSinkOptions & { readonly signal: AbortSignal }

async function openSink(address: PostgresAddress, { signal, random }: OpenOptions): Promise<Sink> {
  const session = await connectPostgres(address, { signal })
  const sleepFor = (delayMs: number): Promise<void> => sleep(delayMs, undefined, { signal })
  const tools = { random, sleep: sleepFor, now: () => performance.now() }
  return {
    async write(delivery, onRetry) {
      const apply = (): ReturnType<typeof applyDelivery> => applyDelivery(session, delivery)
      return receiptOf(await withRetry(apply, { policy: CONFLICT_RETRY, tools, mayPass: isRetryable, onRetry }))
    },
    close: () => session.close(),
  }
}
