import t from 'tap'
import { setTimeout } from 'node:timers/promises'
import { deliverAll, type TargetOutcome } from '../../src/delivery/deliver.js'
import { Opening } from '../../src/delivery/opening.js'
import { IngestError } from '../../src/errors.js'
import { PartialDeliveryError, type Delivery, type Receipt } from '../../src/source/delivery.js'
import { type Sink } from '../../src/targets/sink.js'
import { deliveryOf, size } from '../fixtures/delivery.js'
import { waitUntil } from '../fixtures/wait-until.js'

const RECEIPT: Receipt = { records: 1, inserted: 1, updated: 0, kinds: [], chunks: 1 }
const base = await deliveryOf([size('a')])
const deliveries: readonly Delivery[] = ['one', 'two', 'three'].map(source => ({ ...base, source }))
const down = new IngestError('target_unreachable', 'down')

/** A target whose sink behaves as the test specifies. */
function opening(kind: string, write: Sink['write'], signal = new AbortController().signal): Opening {
  const sink = { write, close: () => Promise.resolve() }
  return new Opening(
    { name: kind, kind, opener: { id: kind, description: kind, opensEarly: false, open: () => Promise.resolve(sink) } },
    signal,
  )
}

const deliver = (...openings: readonly Opening[]): Promise<readonly TargetOutcome[]> =>
  deliverAll(deliveries, openings, new AbortController().signal)

const sources = ({ receipts }: TargetOutcome): readonly string[] => receipts.map(({ source }) => source)

t.test('file by file, in order, and the tries of each are its own', async t => {
  const [outcome] = await deliver(
    opening('server', async ({ source }, onRetry) => {
      if (source === 'two') onRetry({ error: down, waitMs: 5 })
      return RECEIPT
    }),
  )
  t.match(outcome?.receipts, [
    { source: 'one', retries: 0 },
    { source: 'two', retries: 1 },
    { source: 'three', retries: 0 },
  ])
  t.match(outcome, { failure: undefined, retries: [{ waitMs: 5 }] })
})

t.test('after a file that fails none is tried', async t => {
  const tried: string[] = []
  const [outcome] = await deliver(
    opening('server', async ({ source }) => {
      tried.push(source)
      if (source === 'two') throw down
      return RECEIPT
    }),
  )
  t.strictSame(tried, ['one', 'two'])
  t.match(outcome, { receipts: [{ source: 'one' }], failure: { source: 'two', error: down } })
})

t.test('a target that hangs does not delay the others', async t => {
  const done: string[] = []
  const freed = new AbortController()
  const hanging = opening('server', async () => {
    await setTimeout(60_000, undefined, { signal: freed.signal }).catch(() => undefined)
    return RECEIPT
  })
  const live = opening('postgres', async ({ source }) => {
    done.push(source)
    return RECEIPT
  })
  const outcomes = deliver(hanging, live)
  await waitUntil(() => done.length === 3)
  freed.abort()
  t.strictSame((await outcomes).map(sources), [
    ['one', 'two', 'three'],
    ['one', 'two', 'three'],
  ])
})

t.test('a target that cannot be opened fails with its first file', async t => {
  const unopened = new Opening(
    {
      name: 'server',
      kind: 'server',
      opener: { id: 'x', description: 'x', opensEarly: true, open: () => Promise.reject(down) },
    },
    new AbortController().signal,
  )
  const [failed, live] = await deliver(
    unopened,
    opening('postgres', () => Promise.resolve(RECEIPT)),
  )
  t.match(failed, { receipts: [], failure: { source: 'one', error: down } })
  t.equal(live?.receipts.length, 3)
})

t.test('the delivered part of a failed file is reported', async t => {
  const partly = new PartialDeliveryError(down, 'down after one', RECEIPT)
  const [outcome] = await deliver(opening('server', () => Promise.reject(partly)))
  t.match(outcome, {
    receipts: [],
    partial: RECEIPT,
    failure: { error: { code: 'target_unreachable', hint: /again/ } },
  })
})

t.test('a changed file is the reported reason, whatever error the target gave', async t => {
  const changed = new IngestError('input_changed', 'changed')
  const delivery = { ...base, assertMayCommit: () => Promise.reject(changed) }
  const [outcome] = await deliverAll(
    [delivery],
    [opening('server', () => Promise.reject(down))],
    new AbortController().signal,
  )
  t.equal(outcome?.failure?.error, changed)
})

t.test('an interruption is thrown when nothing was delivered, and reported when something was', async t => {
  const reason = new IngestError('interrupted', 'interrupted')
  for (const landed of [undefined, 'a file', 'a part']) {
    const controller = new AbortController()
    const write: Sink['write'] = async ({ source }) => {
      if (source === 'one' && landed === 'a file') return RECEIPT
      controller.abort(reason)
      throw landed === 'a part' ? new PartialDeliveryError(down, 'down', RECEIPT) : down
    }
    const outcomes = deliverAll(deliveries, [opening('server', write, controller.signal)], controller.signal)
    if (landed === undefined) await t.rejects(outcomes, reason)
    else t.match(await outcomes, [{ failure: { error: reason } }], landed)
  }
})
