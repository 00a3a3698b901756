import t from 'tap'
import { readBody } from '../../src/source/exact-json.js'

const NOT_UTF8 = {
  'a lone continuation byte': '22 80 22',
  'a cut character': '22 c3 22',
  'an overlong slash': '22 c0 af 22',
  'half of a surrogate pair': '22 ed a0 80 22',
  'beyond U+10FFFF': '22 f4 90 80 80 22',
  'Latin-1': '22 e9 22',
  'UTF-16': 'ff fe 7b 00 7d 00',
}

t.test('bytes that are no UTF-8 are refused before anything else is looked at', async t => {
  for (const [what, hex] of Object.entries(NOT_UTF8)) {
    const bytes = Buffer.from(hex.replace(/ /g, ''), 'hex')
    t.strictSame(readBody(bytes), { ok: false, code: 'invalid_utf8', message: 'is not valid UTF-8' }, what)
  }
})

t.test('every other character is kept as it came', async t => {
  const text = '\u007f\u0080\u07ff\u0800\ud7ff\ue000\ufffd\uffff\u{10000}\u{10ffff}'
  t.strictSame(readBody(Buffer.from(JSON.stringify(text))), { ok: true, value: text })
})

t.test('a byte-order mark is refused as one', async t => {
  t.match(readBody(Buffer.from('efbbbf7b7d', 'hex')), { ok: false, code: 'byte_order_mark' })
})

t.test('a body may nest 127 levels, unless less is asked for', async t => {
  const nested = (levels: number): Buffer => Buffer.from('['.repeat(levels) + ']'.repeat(levels))
  t.equal(readBody(nested(127)).ok, true)
  t.match(readBody(nested(128)), { ok: false, code: 'too_deep' })
  t.match(readBody(nested(3), { maxDepth: 2 }), { ok: false, code: 'too_deep' })
})
