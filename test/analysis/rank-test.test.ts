import t from 'tap'
import { leastP, MOST_EXACT, rankTester } from '../../src/analysis/rank-test.js'

const test = rankTester()
const integers = (...values: readonly number[]): bigint[] => values.map(BigInt)
const upTo = (count: number, from = 1): bigint[] => Array.from({ length: count }, (_, index) => BigInt(from + index))
const near = (actual: number, expected: number, within = 5e-5): boolean => Math.abs(actual - expected) <= within

/** Two samples without ties whose U is as given: each step takes one value of the first above one of the second. */
function samplesWithU(first: number, second: number, u: number): [bigint[], bigint[]] {
  // The second sample lies above the first one; its lowest values then sink, each past as many as are left to pass.
  const low = upTo(first).map(value => value * 100n)
  let left = u
  const high = upTo(second).map(value => {
    const passed = Math.min(left, first)
    left -= passed
    return BigInt(first - passed) * 100n + 50n + value
  })
  return [low, high]
}

t.test(
  'the published example with ten and five values: W = 35, one-sided 0.1272 (Hollander and Wolfe 1973, 69f)',
  async t => {
    const term = integers(80, 83, 189, 104, 145, 138, 191, 164, 73, 146)
    const early = integers(115, 88, 90, 74, 121)
    const { p, method, direction } = test(early, term)
    t.ok(near(p, 2 * 0.1272, 1e-4), `p is ${p}`)
    t.strictSame([method, direction], ['exact', 1])
    t.strictSame(test(term, early), { p, method, direction: -1 })
  },
)

// Two-sided, 0.05: the largest U of the published tables at which a difference is significant.
for (const [first, second, critical] of [
  [4, 4, 0],
  [5, 5, 2],
  [6, 7, 6],
  [8, 8, 13],
  [10, 10, 23],
  [12, 12, 37],
  [15, 15, 64],
  [20, 20, 127],
] as const)
  t.test(`with ${first} and ${second} values U = ${critical} is significant and ${critical + 1} is not`, async t => {
    const p = (u: number): number => test(...samplesWithU(first, second, u)).p
    t.ok(p(critical) <= 0.05, `U = ${critical}: ${p(critical)}`)
    t.ok(p(critical + 1) > 0.05, `U = ${critical + 1}: ${p(critical + 1)}`)
    t.equal(test(upTo(first), upTo(second)).method, first + second <= MOST_EXACT ? 'exact' : 'normal')
  })

t.test('probabilities by hand: 4 and 4 values apart are 2 of 70 choices, 1 and 2 values 2 of 3', async t => {
  t.equal(test(upTo(4), upTo(4, 10)).p, 2 / 70)
  t.equal(test(upTo(1), upTo(2, 10)).p, 2 / 3)
  t.equal(leastP(4, 4), 2 / 70)
  t.equal(leastP(5, 5), 2 / 252)
})

t.test('ties share their rank, and every choice among them counts', async t => {
  // 1 1 | 1 2: ranks 2 2 2 4. Of the six choices of two the three without the 4 sum to 4, the others to 6.
  t.strictSame(test(integers(1, 1), integers(1, 2)), { p: 1, direction: 1, method: 'exact' })
  // 1 1 1 | 2 2 2: one choice of twenty is as far off on this side.
  t.equal(test(integers(1, 1, 1), integers(2, 2, 2)).p, 0.1)
  t.strictSame(test(integers(3, 3, 3), integers(3, 3)), { p: 1, direction: 0, method: 'exact' })
})

t.test('with ties the p-value equals that of exhaustive enumeration', async t => {
  const pooled = [3, 3, 4, 4, 4, 5, 7, 7, 9]
  const [first, second] = [
    [3, 4, 4, 7],
    [3, 4, 5, 7, 9],
  ]
  const rank = (value: number): number => {
    const [from, to] = [pooled.indexOf(value), pooled.lastIndexOf(value)]
    return (from + to) / 2 + 1
  }
  const sums: number[] = []
  for (let choice = 0; choice < 2 ** pooled.length; choice++) {
    const chosen = pooled.filter((_, index) => (choice >> index) % 2 === 1)
    if (chosen.length === second.length) sums.push(chosen.reduce((sum, value) => sum + rank(value), 0))
  }
  const seen = second.reduce((sum, value) => sum + rank(value), 0)
  const share = (is: (sum: number) => boolean): number => sums.filter(is).length / sums.length
  const expected = Math.min(
    1,
    2 *
      Math.min(
        share(sum => sum <= seen),
        share(sum => sum >= seen),
      ),
  )
  t.ok(near(test(integers(...first), integers(...second)).p, expected, 1e-12))
})

t.test('many values: the normal approximation, with the corrections for ties and for steps', async t => {
  // 15 times 1 and 2 against 15 times 2 and 3: the first is above in none of 900 pairs and level in 225, so U is 112.5.
  const many = (value: number): bigint[] => Array.from({ length: 15 }, () => BigInt(value))
  const { p, method, direction } = test([...many(1), ...many(2)], [...many(2), ...many(3)])
  const ties = [15, 30, 15].reduce((sum, tie) => sum + tie ** 3 - tie, 0)
  const deviation = Math.sqrt(((30 * 30) / 12) * (61 - ties / (60 * 59)))
  const z = (450 - 112.5 - 0.5) / deviation
  t.strictSame([method, direction], ['normal', 1])
  t.ok(near(z, 5.42334, 1e-5), `z is ${z}`)
  t.ok(near(p, 5.849e-8, 2e-11), `p is ${p}`)
  t.equal(test(many(2), many(2)).p, 1)
})

t.test('integers that are equal as doubles are distinguished', async t => {
  const near = 2n ** 62n
  const low = [1n, 2n, 3n, 4n].map(more => near + more)
  const high = [5n, 6n, 7n, 8n].map(more => near + more)
  t.strictSame(test(low, high), { p: 2 / 70, direction: 1, method: 'exact' })
})
