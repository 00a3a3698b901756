/** Delivers everything that a queue holds to one target. Failures become events, so targets fail alone (promise 6). */

import { settingValues, type UsedSetting } from '../database/tunables.js'
import { stricterMode } from '../contract/pii-mode.js'
import { messageOf } from '../errors.js'
import type { Delivery } from '../source/delivery.js'
import { sentCounts } from '../source/downgrade.js'
import type { TargetConnection } from './target-connection.js'
import { countRecords } from './count-reads.js'
import type { Emit, Failure } from './events.js'
import { monotonicMs } from '../monotonic-time.js'

/** Deliveries that wait for one target: validated files, or what the outbox holds for it. */
export interface Queue {
  /**
   * Hands over each delivery in order and notes it as delivered once `apply` has resolved.
   * @param apply writes a delivery to the target, completely or not at all; rejects when the target does not store it
   * @returns the failures that stopped delivery, the most important one first; empty when nothing is left
   */
  deliver(apply: (delivery: Delivery) => Promise<void>): Promise<readonly Failure[]>
  /** The write settings for the next delivery. */
  settings(): Promise<readonly UsedSetting[] | undefined>
}

export type DeliverOptions = {
  readonly emit: Emit
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** @returns whether everything was delivered */
export async function deliver(
  connection: TargetConnection,
  queue: Queue,
  { emit, now }: DeliverOptions,
): Promise<boolean> {
  const started = monotonicMs()
  emit({ type: 'began', target: connection.target })
  const [failure, ...others] = await queue.deliver(delivery => apply(delivery, { connection, queue, emit, now }))
  const { target } = connection
  for (const { error } of others) emit({ type: 'target-warned', target, message: messageOf(error) })
  if (failure !== undefined) emit({ type: 'failed', target, ...failure })
  emit({ type: 'ended', target, durationMs: monotonicMs() - started })
  return failure === undefined
}

type Applying = DeliverOptions & { readonly connection: TargetConnection; readonly queue: Queue }

async function apply(delivery: Delivery, { connection, queue, emit, now }: Applying): Promise<void> {
  const { target } = connection
  const { source, counts, range } = delivery
  const [sink, settings] = await Promise.all([connection.sink(), queue.settings()])
  emit({ type: 'sending', target, source, records: countRecords(delivery), settings })
  const started = monotonicMs()
  try {
    const { origin } = delivery
    const written = await sink.write(
      origin === undefined ? delivery : { ...delivery, origin: { ...origin, target: target.opener.description } },
      retry => emit({ type: 'retried', target, source, ...retry, at: now() }),
      settingValues(settings),
    )
    const durationMs = monotonicMs() - started
    const pii = stricterMode(delivery.pii, target.opener.pii?.mode)
    const receipt = pii === 'keep' ? written : { ...written, pii }
    const sent = sentCounts(counts, receipt.downgrade)
    emit({ type: 'applied', target, source, counts: sent, receipt, range, durationMs })
  } catch (error) {
    emit({ type: 'not-applied', target, source, error })
    throw error
  }
}
