import t from 'tap'
import type { DeliveryEvent } from '../../src/delivery/events.js'
import { ResultReducer, type DeliveryResult } from '../../src/delivery/result.js'
import type { Target } from '../../src/delivery/target.js'
import { IngestError } from '../../src/errors.js'
import { sumReceipt } from '../../src/source/delivery.js'

const open = (): Promise<never> => Promise.reject(new Error('never opened'))

function target(kind: string, more: Partial<Target> = {}): Target {
  return { name: kind, kind, opener: { id: kind, description: kind, opensEarly: false, open }, ...more }
}

const [server, postgres] = [target('server'), target('postgres')]
const down = new IngestError('target_unreachable', 'down')
const receipt = sumReceipt([{ kind: 'size', records: 2, inserted: 1, updated: 1, unchanged: 1 }])

function applied(to: Target, since = 0): readonly DeliveryEvent[] {
  const sent = { target: to, source: 'f', settings: undefined }
  const counts = new Map([['size', 2]])
  return [
    { type: 'sending', ...sent, records: 2 },
    { type: 'applied', ...sent, counts, receipt, range: { since, until: since + 2 }, durationMs: 1 },
  ]
}

function reduce(
  events: readonly DeliveryEvent[],
  options: Partial<ConstructorParameters<typeof ResultReducer>[0]> = {},
): DeliveryResult {
  const reducer = new ResultReducer({ hasOutbox: false, ...options })
  for (const event of events) reducer.apply(event)
  return reducer.result()
}

t.test('receipts add up, and attempts count retries', async t => {
  const retried: DeliveryEvent = { type: 'retried', target: server, source: 'f', error: down, waitMs: 5, at: 0 }
  const { targets, exitCode } = reduce([
    { type: 'began', target: server },
    ...applied(server),
    retried,
    ...applied(server),
    { type: 'ended', target: server, durationMs: 7 },
  ])
  const totals = { records: 4, inserted: 2, updated: 2, unchanged: 2, chunks: 2, attempts: 3, waitedMs: 5 }
  t.match(targets, [
    { status: 'delivered', isRequired: true, durationMs: 7, ...totals, counts: new Map([['size', 4]]) },
  ])
  t.equal(exitCode, 0)
})

t.test('the first target decides, unless others are required', async t => {
  const events: readonly DeliveryEvent[] = [
    { type: 'began', target: server },
    { type: 'began', target: postgres },
    { type: 'failed', target: postgres, source: 'f', error: down },
  ]
  t.match(reduce(events), { exitCode: 0, targets: [{ isRequired: true }, { isRequired: false, status: 'failed' }] })
  t.match(reduce(events, { require: 'postgres' }), { exitCode: 69, deciding: { kind: 'postgres' } })
  t.match(reduce(events, { require: 'all', allowFailure: true }), { exitCode: 0, isForgiven: true })
  t.match(reduce(events, { require: 'any' }), { exitCode: 0 })
})

t.test('targets that say whether they are required decide by themselves', async t => {
  const [first, second] = [target('a', { isRequired: false }), target('b', { isRequired: true })]
  const began: readonly DeliveryEvent[] = [first, second].map(one => ({ type: 'began', target: one }))
  const failed = (one: Target): DeliveryEvent => ({ type: 'failed', target: one, source: 'f', error: down })
  t.equal(reduce([...began, failed(first)]).exitCode, 0)
  t.equal(reduce([...began, failed(second)]).exitCode, 69)
})

t.test('a target that was removed and registered again has one result', async t => {
  const [gone] = reduce(
    [
      { type: 'began', target: server },
      ...applied(server),
      { type: 'failed', target: server, source: 'the outbox', error: down },
      { type: 'removed', target: server },
    ],
    { hasOutbox: true },
  ).targets
  t.match(gone, { status: 'removed', records: 2, error: undefined, outbox: { queued: 0 } })
  const { targets } = reduce(
    [
      { type: 'began', target: server },
      ...applied(server),
      { type: 'removed', target: server },
      { type: 'began', target: server },
      ...applied(server, 2),
    ],
    { hasOutbox: true },
  )
  t.match(targets, [{ status: 'delivered', records: 4, outbox: { delivered: { since: 0, until: 4 } } }])
  t.equal(targets.length, 1)
})

t.test('new records that another process delivered count as delivered', async t => {
  const events = (hasNew: boolean): readonly DeliveryEvent[] => [
    { type: 'enqueued', hasNew },
    { type: 'began', target: server },
  ]
  t.match(reduce(events(true), { hasOutbox: true }).targets, [{ status: 'delivered', outbox: { byAnother: true } }])
  t.match(reduce(events(false), { hasOutbox: true }).targets, [{ status: 'nothing new', outbox: { byAnother: false } }])
})

t.test('the delivered range covers contiguous deliveries, and starts again after a gap', async t => {
  const delivered = (...starts: readonly number[]): unknown =>
    reduce([{ type: 'began', target: server }, ...starts.flatMap(since => applied(server, since))], { hasOutbox: true })
      .targets[0]?.outbox?.delivered
  t.strictSame(delivered(4, 6), { since: 4, until: 8 })
  t.strictSame(delivered(4, 0), { since: 0, until: 2 }, 'the range of another partition')
})
