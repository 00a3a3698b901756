import t from 'tap'
import { MAX_BODY_DEPTH, parseExact, type ExactResult } from '../../src/source/exact-json.js'

const parse = (text: string): ExactResult => parseExact(text, { maxDepth: MAX_BODY_DEPTH })

/** Invalid JSON in the manner of JSONTestSuite. All of these must be refused. */
const NOT_JSON: Readonly<Record<string, readonly string[]>> = {
  nothing: ['', ' ', '\n\t\r '],
  commas: ['[1,]', '[,1]', '[1,,2]', '[,]', '{"a":1,}', '{,}', '{"a":1,,"b":2}', '[1 2]', '{"a":1 "b":2}', ',1', '1,'],
  colons: ['{"a"}', '{"a",1}', '{"a"::1}', '{:1}', '{"a":}', '{"a" 1}', '["a":1]'],
  brackets: ['[', ']', '{', '}', '[1', '{"a":1', '[1}', '{"a":1]', '[]]', '{}}', '[[]', '(1)', '[1)'],
  keys: ['{a:1}', "{'a':1}", '{1:1}', '{null:1}', '{[]:1}', '{"a":1,b:2}'],
  numbers: [
    '01',
    '-01',
    '00',
    '.5',
    '-.5',
    '1.',
    '-1.',
    '1.e1',
    '+1',
    '++1',
    '--1',
    '- 1',
    '1e',
    '1e+',
    '1E-',
    '1e1.5',
    '0x10',
    '1_000',
    '1,5',
    '-',
    '1a',
    '0b1',
    '1.2.3',
    '٣',
    '１',
  ],
  words: [
    'NaN',
    '-NaN',
    'Infinity',
    '-Infinity',
    'undefined',
    'True',
    'NULL',
    'tru',
    'nul',
    'fals',
    'nullx',
    'truefalse',
    'n',
    't',
  ],
  strings: ['"', '"a', "'a'", 'a', '"a""b"', '"\\"', '"\\', '`a`', '"a\nb"', '"a\tb"', '"\u0000"', '"\u001f"', '"\r"'],
  escapes: [
    '"\\x41"',
    '"\\a"',
    '"\\0"',
    '"\\u"',
    '"\\u12"',
    '"\\u12g4"',
    '"\\u+123"',
    '"\\u 123"',
    '"\\U0041"',
    '"\\ "',
    '"\\\n"',
    '"\\ud83d\\u12"',
    '"\\ud83d\\u"',
    '"\\é"',
  ],
  comments: ['// x\n1', '/* x */1', '1 // x', '# x\n1', '[1 /* x */]'],
  spaces: ['\f1', '\v1', '\u00a01', '\u20281', '1\u0000', '\u00851', '1\f'],
  rest: ['1 2', '{} {}', '[] x', '"a" "b"', 'null null', '{}"', '1]'],
}

for (const [what, texts] of Object.entries(NOT_JSON))
  t.test(`bad JSON is refused, with a column: ${what}`, async t => {
    for (const text of texts) {
      t.throws(() => JSON.parse(text) as unknown, `JSON.parse refuses ${shown(text)}`)
      const result = parse(text)
      t.match(
        result,
        {
          ok: false,
          code: 'invalid_json',
          message: /^is not JSON: .* at (?:line \d+, )?column \d+ where .* should be$/,
        },
        shown(text),
      )
    }
  })

t.test('a message says what stands where, and what should', async t => {
  const said = (text: string): string => {
    const result = parse(text)
    return result.ok ? '' : result.message
  }
  t.equal(said(''), 'is not JSON: ends at column 1 where a value should be')
  t.equal(said('{"a":1,}'), 'is not JSON: "}" at column 8 where a key in double quotes should be')
  t.equal(said('{"a" 1}'), 'is not JSON: "1" at column 6 where ":" should be')
  t.equal(said('[1 2]'), 'is not JSON: "2" at column 4 where "," or "]" should be')
  t.equal(said('{"a":1'), 'is not JSON: ends at column 7 where "," or "}" should be')
  t.equal(said('01'), 'is not JSON: "1" at column 2 where the end should be')
  t.equal(said('"a\tb"'), 'is not JSON: U+0009 at column 3 where the end of a string should be')
  t.equal(said('"\\x"'), 'is not JSON: "\\" at column 2 where an escape that JSON knows should be')
  t.equal(said('"\\u12"'), 'is not JSON: "\\" at column 2 where four hex digits after \\u should be')
  t.equal(said('🙂'), 'is not JSON: "🙂" at column 1 where a value should be')
  t.equal(said('"\\ud800"'), '\\ud800 is half of a surrogate pair, not a character')
  t.equal(said(`1${'0'.repeat(400)}`), `1${'0'.repeat(39)}… is beyond the range of a double`)
  t.equal(said('\ufeff1'), 'starts with a byte-order mark, which JSON does not allow')
})

/** Escapes a text for the name of an assertion, which a line separator would end. */
function shown(text: string): string {
  return JSON.stringify(text).replace(/[^ -~]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
