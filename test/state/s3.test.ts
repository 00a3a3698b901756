import t from 'tap'
import { archiveSink } from '../../src/targets/archive/sink.js'
import { compactOutbox } from '../../src/state/compact.js'
import { pruneOutbox } from '../../src/state/prune.js'
import type { S3Address } from '../../src/storage/address.js'
import { openStorage, openBucketStorage } from '../../src/storage/open-storage.js'
import { SHA } from '../fixtures/records.js'
import { findMoto, NO_MOTO, startMoto } from '../fixtures/moto.js'
import { all, datasetsIn, deliverTo, headOf, linesObjects, makeKnown, stateOn, take } from './fixtures/filled.js'

const python = await findMoto()
if (python === undefined) t.pass('state and archive in S3', { skip: NO_MOTO })
else
  t.test('in S3 a state is compacted, archived into another prefix, and pruned', async t => {
    const moto = await startMoto(t, python)
    const { endpoint } = moto
    const bucket = await moto.createBucket()
    const at = (prefix: string): S3Address => ({
      kind: 's3',
      bucket,
      prefix,
      region: undefined,
      endpoint,
      pathStyle: true,
    })
    const state = await stateOn(await openStorage(at('state')))
    const opener = archiveSink(at('archive'))
    await makeKnown(state, opener.id)
    for (const dataset of ['a', 'b', 'c']) await take(state, [dataset])
    t.match(await all(compactOutbox(state, { dryRun: false })), [{ batchesAfter: 1, objectsAfter: 1 }])
    t.same(await datasetsIn(state), ['a', 'b', 'c'])
    const sink = await opener.open(new AbortController().signal)
    t.equal(await deliverTo(state, opener.id, sink), undefined)
    const archive = await openBucketStorage(at('archive'))
    t.ok(await archive.get(`compression_sizes/${SHA}/0000000000000000-0000000000000003.jsonl.gz`))
    t.match(await all(pruneOutbox(state, { olderThanMs: undefined, dryRun: false })), [{ batches: 1, records: 3 }])
    t.same(await linesObjects(state), [])
    t.match(await headOf(state), { next: 4, batches: [] })
    for (const storage of [state.storage, archive]) await storage.close()
  })
