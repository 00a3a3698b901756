import t from 'tap'
import { contest, MARGIN, PAIRS, quantile, type Contest } from '../../../src/delivery/tuning/measure.js'
import type { TrialResult } from '../../../src/state/trial.js'

const challenger = { 'copy-bytes': 1 }
const champion = { 'copy-bytes': 2 }

/** @param ms duration of a delivery of a side; undefined makes the delivery fail */
function between(
  ms: (side: 'challenger' | 'champion', pair: number) => number | undefined,
  more: Partial<Contest> = {},
): { readonly order: string[]; readonly result: Promise<TrialResult> } {
  const order: string[] = []
  const deliver: Contest['deliver'] = async settings => {
    const side = settings === challenger ? 'challenger' : 'champion'
    order.push(side)
    return ms(side, Math.floor((order.length - 1) / 2))
  }
  return { order, result: contest({ challenger, champion, records: 100, deliver, isOver: () => false, ...more }) }
}

t.test('both settings are measured in turns, and the first one alternates', async t => {
  const { order, result } = between(() => 10)
  await result
  t.strictSame(order.slice(0, 4), ['champion', 'challenger', 'challenger', 'champion'])
  t.equal(order.length, 2 * PAIRS)
})

t.test('a challenger that is faster in every pair wins, with its figures', async t => {
  const { result } = between((side, pair) => (side === 'challenger' ? 20 + pair : 40))
  t.strictSame(await result, {
    challenger: { deliveries: 5, errors: 0, rowsPerSecond: 4545, p50Ms: 22, p95Ms: 24 },
    champion: { deliveries: 5, errors: 0, rowsPerSecond: 2500, p50Ms: 40, p95Ms: 40 },
    ratio: 1.818,
    won: true,
  })
})

t.test('one that lost a pair, was cut short or is hardly faster does not win', async t => {
  t.match(await between((side, pair) => (side === 'challenger' && pair !== 2 ? 20 : 40)).result, { won: false })
  t.match(await between(side => (side === 'challenger' ? 40 : 40 * (MARGIN - 0.01))).result, { won: false })
  const short = between(side => (side === 'challenger' ? 20 : 40), { isOver: () => true })
  t.match(await short.result, { challenger: { deliveries: 1 }, ratio: 2, won: false })
})

t.test('deliveries that fail are counted, and are in no figure', async t => {
  const { result } = between((side, pair) => (side === 'challenger' && pair < 2 ? undefined : 10))
  t.match(await result, { challenger: { deliveries: 3, errors: 2, p50Ms: 10 }, champion: { errors: 0 }, won: false })
  const none = between(side => (side === 'challenger' ? undefined : 10))
  t.match(await none.result, {
    challenger: { deliveries: 0, errors: 5, rowsPerSecond: 0, p50Ms: 0 },
    ratio: 0,
    won: false,
  })
})

t.test('a quantile is one of the values', t => {
  t.equal(quantile([3, 1, 2], 0.5), 2)
  t.equal(quantile([3, 1, 2, 4], 0.95), 4)
  t.equal(quantile([], 0.5), 0)
  t.end()
})
