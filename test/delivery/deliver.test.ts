import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { setTimeout } from 'node:timers/promises'
import { deliver as deliverQueue } from '../../src/delivery/deliver.js'
import { TargetConnection } from '../../src/delivery/target-connection.js'
import { push } from '../../src/delivery/push.js'
import { fileQueue } from '../../src/delivery/read-files.js'
import { ResultReducer, type TargetResult } from '../../src/delivery/result.js'
import type { Target } from '../../src/delivery/target.js'
import { IngestError } from '../../src/errors.js'
import { PartialDeliveryError, type Delivery, type Receipt } from '../../src/source/delivery.js'
import { fileSource } from '../../src/source/source.js'
import type { Sink } from '../../src/targets/sink.js'
import { deliveryOf, size } from '../fixtures/delivery.js'
import { waitUntil } from '../fixtures/wait-until.js'
import { COMMIT, RUN } from '../fixtures/records.js'

const RECEIPT: Receipt = { records: 1, inserted: 1, updated: 0, kinds: [], chunks: 1 }
const base = await deliveryOf([size('a')])
const deliveries: readonly Delivery[] = ['one', 'two', 'three'].map(source => ({ ...base, source }))
const down = new IngestError('target_unreachable', 'down')

/** A target whose sink behaves as the test specifies. */
function target(kind: string, write: Sink['write']): Target {
  const sink = { write, close: () => Promise.resolve() }
  const opener = { id: kind, description: kind, opensEarly: false, open: () => Promise.resolve(sink) }
  return { name: kind, kind, opener }
}

/** Delivers to several targets at the same time. */
async function deliverAll(files: readonly Delivery[], targets: readonly Target[]): Promise<readonly TargetResult[]> {
  const { signal } = new AbortController()
  const reducer = new ResultReducer({ hasOutbox: false })
  const options = { signal, now: Date.now, emit: reducer.apply.bind(reducer) }
  await Promise.all(
    targets.map(one => deliverQueue(new TargetConnection(one, options), fileQueue(one, files, signal), options)),
  )
  return reducer.result().targets
}

const deliver = (...targets: readonly Target[]): Promise<readonly TargetResult[]> => deliverAll(deliveries, targets)

const sources = ({ receipts }: TargetResult): readonly string[] => receipts.map(({ source }) => source)

t.test('file by file, in order, and the tries of each are its own', async t => {
  const [outcome] = await deliver(
    target('server', async ({ source }, onRetry) => {
      if (source === 'two') onRetry({ error: down, waitMs: 5 })
      return RECEIPT
    }),
  )
  t.match(outcome?.receipts, [
    { source: 'one', retries: 0 },
    { source: 'two', retries: 1 },
    { source: 'three', retries: 0 },
  ])
  t.match(outcome, { error: undefined, status: 'delivered', attempts: 4, waitedMs: 5, retries: [{ waitMs: 5 }] })
})

t.test('after a file that fails none is tried', async t => {
  const tried: string[] = []
  const [outcome] = await deliver(
    target('server', async ({ source }) => {
      tried.push(source)
      if (source === 'two') throw down
      return RECEIPT
    }),
  )
  t.strictSame(tried, ['one', 'two'])
  t.match(outcome, { receipts: [{ source: 'one' }], failedSource: 'two', error: down, status: 'failed' })
})

t.test('a target that hangs does not delay the others', async t => {
  const done: string[] = []
  const freed = new AbortController()
  const hanging = target('server', async () => {
    await setTimeout(60_000, undefined, { signal: freed.signal }).catch(() => undefined)
    return RECEIPT
  })
  const live = target('postgres', async ({ source }) => {
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
  const open = (): Promise<never> => Promise.reject(down)
  const unopened = { name: 'server', kind: 'server', opener: { id: 'x', description: 'x', opensEarly: true, open } }
  const [failed, live] = await deliver(
    unopened,
    target('postgres', () => Promise.resolve(RECEIPT)),
  )
  t.match(failed, { receipts: [], failedSource: 'one', error: down })
  t.equal(live?.receipts.length, 3)
})

t.test('the delivered part of a failed file is reported', async t => {
  const partly = new PartialDeliveryError(down, 'down after one', RECEIPT)
  const [outcome] = await deliver(target('server', () => Promise.reject(partly)))
  t.match(outcome, {
    receipts: [],
    partial: RECEIPT,
    error: { code: 'target_unreachable', hint: /again/ },
  })
})

t.test('a changed file is the reported reason, whatever error the target gave', async t => {
  const changed = new IngestError('input_changed', 'changed')
  const delivery = { ...base, assertMayCommit: () => Promise.reject(changed) }
  const [outcome] = await deliverAll([delivery], [target('server', () => Promise.reject(down))])
  t.equal(outcome?.error, changed)
})

t.test('an interruption is thrown when nothing was delivered, and reported when something was', async t => {
  const reason = new IngestError('interrupted', 'interrupted')
  const folder = t.testdir()
  const paths = ['one', 'two'].map(name => join(folder, name))
  for (const path of paths) writeFileSync(path, `${size('a')}\n`)
  for (const landed of [undefined, 'a file', 'a part']) {
    const controller = new AbortController()
    const write: Sink['write'] = async ({ source }) => {
      if (source === paths[0] && landed === 'a file') return RECEIPT
      controller.abort(reason)
      throw landed === 'a part' ? new PartialDeliveryError(down, 'down', RECEIPT) : down
    }
    const pushed = push(
      paths.map(path => fileSource(path)),
      { targets: [target('server', write)], commit: COMMIT, run: RUN, signal: controller.signal },
    )
    if (landed === undefined) await t.rejects(pushed, reason)
    else t.match(await pushed, { exitCode: 130, targets: [{ error: reason }] }, landed)
  }
})

t.test('a push without state refuses a target that stores ranges of an outbox', async t => {
  const { opener, ...archive } = target('archive', () => Promise.resolve(RECEIPT))
  const targets = [{ ...archive, opener: { ...opener, needsOutbox: true as const } }]
  await t.rejects(push(['results.jsonl'], { targets, commit: COMMIT, run: RUN }), { code: 'usage' })
})
