import t from 'tap'
import { httpSink } from '../../../src/sink/http/sink.js'
import { deliveryOf, size } from '../../fixtures/delivery.js'
import { applied, recordsOf, startAnswering } from '../../fixtures/http-server.js'

t.test('each delivery is sent as its settings say, or else as the sink was opened', async t => {
  const { url, asked } = await startAnswering(t, applied)
  const opener = httpSink({
    address: { base: new URL(url), token: undefined, proxy: undefined, authorities: [] },
    ...{ maxEnvelopeBytes: 60 * 1024 * 1024, silenceMs: 10_000, gzipLevel: 0 },
    policy: { attempts: 1, baseDelayMs: 1, maxDelayMs: 1 },
    tools: { random: Math.random, sleep: () => Promise.resolve(), now: () => performance.now() },
  })
  const sink = await opener.open(new AbortController().signal)
  const delivery = await deliveryOf(Array.from({ length: 20 }, (_, at) => size(`${'x'.repeat(200)}${at}`)))
  const write = async (settings?: Readonly<Record<string, number>>): Promise<readonly (string | undefined)[]> => {
    const before = asked.length
    const { records, chunks } = await sink.write(delivery, () => undefined, settings)
    const sent = asked.slice(before)
    t.equal(records, 20)
    t.equal(sent.length, chunks)
    t.equal(sent.flatMap(recordsOf).length, 20)
    return sent.map(({ headers }) => headers['content-encoding'])
  }
  t.strictSame(await write(), [undefined])
  const split = await write({ 'max-envelope-bytes': 4_000, 'gzip-level': 9 })
  t.ok(split.length > 1)
  t.same(new Set(split), new Set(['gzip']))
  t.strictSame(await write({ 'max-envelope-bytes': 60_000, 'gzip-level': 0 }), [undefined], 'planned anew')
  await sink.close()
})
