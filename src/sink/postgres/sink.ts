/** Postgres as a target. */

import { setTimeout as sleep } from 'node:timers/promises'
import { applyDelivery } from '../apply.js'
import { CONFLICT_RETRY, withRetry } from '../retry.js'
import type { Sink } from '../sink.js'
import { connectPostgres } from './connect.js'
import { describeAddress, type PostgresAddress } from './dsn.js'
import { isRetryable } from './errors.js'

export type PostgresSinkOptions = { readonly signal: AbortSignal; readonly random: () => number }

/** Connects at once; a file that loses a deadlock or a serialization conflict is applied again from its start. */
export async function postgresSink(address: PostgresAddress, { signal, random }: PostgresSinkOptions): Promise<Sink> {
  const session = await connectPostgres(address, { signal })
  const tools = { random, sleep: (delayMs: number) => sleep(delayMs, undefined, { signal }) }
  return {
    description: describeAddress(address),
    async write(delivery) {
      const apply = (): ReturnType<typeof applyDelivery> => applyDelivery(session, delivery)
      const { value: kinds, attempts } = await withRetry(apply, isRetryable, { policy: CONFLICT_RETRY, tools })
      return { kinds, attempts }
    },
    close: () => session.close(),
  }
}
