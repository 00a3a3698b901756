import t from 'tap'
import { clockFinding } from '../../src/doctor/network.js'

const at = (there: number, stepMs = 1): string => {
  const { status, fact } = clockFinding({ there, asked: 100_000, answered: 102_000 }, stepMs)
  return `${status} ${fact}`
}

t.test('a time within the question and its answer is no difference, however long that took', async t => {
  for (const there of [100_000, 101_000, 102_000]) t.match(at(there), /^ok this clock and the one there agree/)
})

t.test('a header of whole seconds may lag by one', async t => {
  t.match(at(98_500, 1_000), /agree/)
})

t.test('a clock that is off is reported with the direction, and as a warning from 30 seconds', async t => {
  t.equal(at(107_000), 'ok this clock is 5 s behind the one there')
  t.equal(at(132_000), 'warn this clock is 30 s behind the one there')
  t.equal(at(60_000), 'warn this clock is 40 s ahead of the one there')
})
