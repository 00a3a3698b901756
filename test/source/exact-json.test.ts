import t from 'tap'
import { isExactObject, type ExactValue } from '../../src/contract/exact-value.js'
import { MAX_BODY_DEPTH, parseExact, shorten, type ExactResult, type SyntaxCode } from '../../src/source/exact-json.js'

const parse = (text: string, maxDepth = MAX_BODY_DEPTH): ExactResult => parseExact(text, { maxDepth })
const codeOf = (text: string): SyntaxCode | 'taken' => {
  const result = parse(text)
  return result.ok ? 'taken' : result.code
}
const valueOf = (text: string): ExactValue => {
  const result = parse(text)
  if (!result.ok) throw new Error(`${text}: ${result.message}`)
  return result.value
}

t.test('an integer token is a bigint, digit for digit', async t => {
  const tokens = [
    '0',
    '1',
    '-1',
    '9007199254740993',
    '9223372036854775807',
    '9223372036854775808',
    `1${'0'.repeat(308)}`,
  ]
  for (const token of tokens) t.equal(valueOf(token), BigInt(token), token)
})

t.test('a token with a fraction, an exponent or a negative zero is a number, rounded correctly', async t => {
  const tokens = [
    '1.0',
    '1e3',
    '1E+3',
    '-1.5e-7',
    '0.1',
    '0e0',
    '-0',
    '-0.0',
    '-0e5',
    '123456789012345678901.5',
    '5e-324',
    '2.2250738585072011e-308',
    '1e-400',
  ]
  for (const token of tokens) t.ok(Object.is(valueOf(token), Number(token)), token)
  t.equal(typeof valueOf('-0'), 'number')
})

t.test('every token that is no plain integer is reported, those that are dropped as well', async t => {
  const reals: string[] = []
  parseExact('{"a":1.50,"b":[2,-0,3e0],"a":7}', { maxDepth: 9, onReal: token => reals.push(token) })
  t.strictSame(reals, ['1.50', '-0', '3e0'])
})

t.test('a number beyond the double range is refused wherever it stands', async t => {
  for (const number of ['1e400', '-1e400', '1e309', '179769313486231580793e289', '9'.repeat(400), '1e99999999999'])
    for (const text of [
      number,
      `[${number}]`,
      `{"a":${number}}`,
      `{"a":${number},"a":1}`,
      `{"a":[{"b":${number}}],"a":null}`,
    ])
      t.equal(codeOf(text), 'number_out_of_range', text.slice(0, 60))
  t.equal(codeOf('1.7976931348623157e308'), 'taken')
  t.equal(codeOf('1.7976931348623158e308'), 'taken')
})

t.test('of a repeated key the last value wins, and what it replaces must still be JSON', async t => {
  t.strictSame(valueOf('{"a":1,"b":2,"a":[3]}'), valueOf('{"a":[3],"b":2}'))
  t.strictSame(valueOf('{"\\u0061":1,"a":2}'), valueOf('{"a":2}'))
  t.equal(codeOf('{"a":01,"a":1}'), 'invalid_json')
  t.equal(codeOf('{"a":"\\ud800","a":1}'), 'lone_surrogate')
})

t.test('a key that means something to JavaScript is a key like any other', async t => {
  const value = valueOf('{"__proto__":{"x":1},"constructor":2,"toString":3}')
  t.ok(isExactObject(value))
  t.equal(Object.getPrototypeOf(value), null)
  t.strictSame(Object.keys(value as object), ['__proto__', 'constructor', 'toString'])
})

t.test('half of a surrogate pair is refused in every position', async t => {
  const halves = [
    '\\ud800',
    '\\udbff',
    '\\udc00',
    '\\uDFFF',
    '\\ud800x',
    '\\ud800\\n',
    '\\ud800\\ud800',
    '\\ud83d\\u0041',
    '\\udc00\\ud800',
    '\\udc00\\udc00',
    'x\\udc00',
  ]
  for (const half of halves)
    for (const text of [`"${half}"`, `["${half}"]`, `{"${half}":1}`, `{"a":"${half}"}`, `{"a":{"b":"${half}"},"a":1}`])
      t.equal(codeOf(text), 'lone_surrogate', text)
  t.equal(valueOf('"\\ud83d\\ude42"'), '🙂')
  t.equal(valueOf('"\\uD83D\\uDE42 \\ud83d\\ude42"'), '🙂 🙂')
})

t.test('a byte-order mark is refused at the start, and no space anywhere', async t => {
  t.equal(codeOf('\ufeff{}'), 'byte_order_mark')
  t.equal(codeOf(' \ufeff{}'), 'invalid_json')
  t.equal(codeOf('[\ufeff1]'), 'invalid_json')
  t.equal(valueOf('"\ufeff"'), '\ufeff')
})

t.test('127 levels are taken and 128 are not, of arrays, of objects and mixed', async t => {
  const nested = (levels: number, open: string, close: string): string =>
    open.repeat(levels) + '1' + close.repeat(levels)
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    t.equal(codeOf(nested(127, open, close)), 'taken')
    t.equal(codeOf(nested(128, open, close)), 'too_deep')
    t.equal(codeOf(`[0,${nested(127, open, close)}]`), 'too_deep')
    t.equal(codeOf(`{"a":${nested(127, open, close)},"a":1}`), 'too_deep', 'also where it is dropped')
  }
  t.equal(
    codeOf(`[${Array.from({ length: 500 }, () => nested(126, '[', ']')).join(',')}]`),
    'taken',
    'siblings do not add up',
  )
  t.equal(codeOf('['.repeat(1_000_000)), 'too_deep', 'the stack does not overflow')
  t.strictSame(parse('[[]]', 1), { ok: false, code: 'too_deep', message: 'nests deeper than 1 levels at column 2' })
})

t.test('a text is shortened only where it is too long', async t => {
  t.equal(shorten('x'.repeat(40)), 'x'.repeat(40))
  t.equal(shorten('x'.repeat(41)), `${'x'.repeat(40)}…`)
  t.equal(shorten('abc', 2), 'ab…')
})
