/** Durations are exact: checked against an oracle that shifts the decimal point of the text. */

import t from 'tap'
import { multiply, NS_IN, parseDecimal, round } from '../../src/convert/duration.js'
import { Random, SEED } from '../fixtures/random.js'

const ns = (text: string, unit: string): bigint | undefined => {
  const ratio = parseDecimal(text)
  return ratio && round(multiply(ratio, NS_IN[unit]!))
}

t.test('times are not changed by doubles, and halves are rounded up', t => {
  const cases: readonly (readonly [text: string, unit: string, expected: bigint])[] = [
    ['0.0103864977', 's', 10_386_498n],
    ['0.0000000005', 's', 1n],
    ['0.00000000049999999999999999999999', 's', 0n],
    ['1.4999999999999999', 'ns', 1n],
    ['2.5', 'ns', 3n],
    ['4.35', 'us', 4_350n],
    ['8192.000000000000001', 'ms', 8_192_000_000n],
    ['4503599.627370497', 's', 4_503_599_627_370_497n],
    ['9223372036854775807', 'ns', 9_223_372_036_854_775_807n],
    ['1.0905534350704556e+03', 'ns', 1_091n],
    ['3.0111717785272317E-5', 's', 30_112n],
    ['1', 'min', 60_000_000_000n],
    ['0', 's', 0n],
    ['0e999999999', 's', 0n],
    ['1e-999999999', 's', 0n],
  ]
  for (const [text, unit, expected] of cases) t.equal(ns(text, unit), expected, `${text} ${unit}`)
  t.end()
})

t.test('texts that are no decimal number, negative or absurd are refused', t => {
  for (const text of ['', '-1', '1,5', 'NaN', '0x10', '1e', '.5', '1.', '1e999999999', '1e401', '9'.repeat(401)])
    t.equal(parseDecimal(text), undefined, text)
  t.end()
})

t.test(`random decimals of seconds keep nine decimal places, rounded by the tenth (seed ${SEED})`, t => {
  const random = new Random()
  for (let turn = 0; turn < 2_000; turn++) {
    const digits = Array.from({ length: random.int(1, 25) }, () => random.int(0, 9)).join('')
    const whole = String(random.int(0, 1e6))
    const padded = digits.padEnd(10, '0')
    const expected = BigInt(whole + padded.slice(0, 9)) + (padded[9]! >= '5' ? 1n : 0n)
    t.equal(ns(`${whole}.${digits}`, 's'), expected, `${whole}.${digits}`)
  }
  t.end()
})
