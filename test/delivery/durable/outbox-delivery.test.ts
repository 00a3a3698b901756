import t from 'tap'
import { batchesIn, deliveryOfRange, firstRange, rangeOf } from '../../../src/delivery/durable/outbox-delivery.js'
import { canDeliverTogether, canMerge, type Batch } from '../../../src/state/head.js'
import { wasmHash64 } from '../../../src/contract/hash64.js'
import { testState } from '../../state/fixtures/state.js'
import { COMMIT, RUN, SHA } from '../../fixtures/records.js'

const hash = await wasmHash64()

const batch = (first: number, records: number, more: Partial<Batch> = {}): Batch => ({
  ...{ id: String(first), first, last: first + Math.max(1, records) - 1, records, counts: new Map() },
  ...{ source: 'f', linesBefore: 0, at: '', run: RUN, commit: COMMIT, objects: [], ...more },
})
const firsts = (batches: readonly Batch[]): readonly number[] => batches.map(({ first }) => first)

const some = [batch(1, 10), batch(11, 10), batch(21, 0), batch(22, 10)]

t.test('batches of one run and commit go together, up to a number of records', async t => {
  t.strictSame(firsts(firstRange(some)), [1, 11, 21, 22])
  t.strictSame(firsts(firstRange(some, 20)), [1, 11, 21])
  t.strictSame(firsts(firstRange(some, 19)), [1])
  t.strictSame(firstRange([]), [])
})

t.test('the first file is delivered whatever its size, because a file is never split', async t => {
  t.strictSame(firsts(firstRange(some, 1)), [1])
})

t.test('a different benchmark, version, commit, CI attempt or time of enqueueing ends a range', async t => {
  const others: readonly Partial<Batch>[] = [
    { run: { ...RUN, benchmark_id: 'x' } },
    { run: { ...RUN, schema_version: 2 } },
    { commit: { ...COMMIT, message: 'x' } },
    { ci: { producer: 'p', run: 1, attempt: 2 } },
    { isForced: true },
    { at: 'later' },
    { at: 'later', source: 'other', linesBefore: 1 },
  ]
  for (const other of others) {
    t.equal(canDeliverTogether(batch(1, 1), batch(2, 1, other)), false)
    t.strictSame(firsts(firstRange([batch(1, 1), batch(2, 1, other), batch(3, 1)])), [1])
  }
})

t.test('parts of one file that grew are delivered one by one, and are merged by a compaction', async t => {
  const run = { ...RUN, started_at: 'later' }
  const [first, grown] = [batch(1, 1), batch(2, 1, { run, at: 'later', linesBefore: 1 })]
  t.strictSame(firsts(firstRange([first, grown])), [1])
  t.equal(canMerge(first, grown), true)
  t.equal(canMerge(first, { ...grown, source: 'other' }), false)
  t.equal(canMerge({ ...first, isForced: true }, { ...grown, isForced: true }), false)
})

t.test('every delivery of a forced range has the same id, because the first one counts as the newest', async t => {
  const orderOf = (isForced: boolean, deliveryId: string): unknown => {
    const fence = { watermarkId: 'w', targetId: 't', partition: SHA, token: 1, until: 1 }
    const options = { range: { since: 0, until: 1 }, hash, signal: new AbortController().signal, deliveryId, fence }
    return deliveryOfRange(testState(), [batch(1, 1, { isForced })], { ...options, assertHeld: async () => {} }).order
  }
  t.match(orderOf(false, 'x'), { deliveryId: 'x' })
  t.match(orderOf(true, 'x'), { generation: { isForced: true } })
  t.strictSame(orderOf(true, 'x'), orderOf(true, 'y'))
})

t.test('a range starts after one sequence number and ends with another', async t => {
  t.strictSame(rangeOf(some, 4), { since: 4, until: 31 })
  t.strictSame(firsts(batchesIn(some, { since: 10, until: 21 })), [11, 21])
  t.strictSame(firsts(batchesIn(some, { since: 9, until: 11 })), [1, 11], 'whole batches, where it ends within one')
  t.strictSame(batchesIn(some, { since: 31, until: 40 }), [])
})
