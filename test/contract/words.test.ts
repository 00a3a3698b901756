import t from 'tap'
import { copyBytes, endOfDigits, endOfPlain, startsWith, toToken, wordView } from '../../src/contract/words.js'

/** `text` at several offsets, surrounded by bytes that would reveal an arithmetic carry or borrow. */
function* placed(bytes: Buffer): Generator<{ view: DataView; at: number }> {
  for (let at = 0; at < 5; at++) {
    for (const filler of [0x00, 0x2f, 0x30, 0x3a, 0x7f, 0xff])
      yield { view: wordView(Buffer.concat([Buffer.alloc(at, filler), bytes, Buffer.alloc(5, filler)])), at }
  }
}

t.test('a token is found where all its bytes stand, and nowhere else', async t => {
  for (const text of ['abcd', 'abcde', 'abcdefg', 'abcdefgh']) {
    const token = toToken(Buffer.from(text))
    for (const { view, at } of placed(Buffer.from(text))) t.equal(startsWith(view, at, token), true, text)
    for (let index = 0; index < text.length; index++) {
      const other = Buffer.from(text)
      other[index]! ^= 0x20
      for (const { view, at } of placed(other)) t.equal(startsWith(view, at, token), false, other.toString())
    }
  }
})

t.test('digits end at the first byte that is none, whichever byte it is', async t => {
  const wrong: string[] = []
  for (let digits = 0; digits < 9; digits++) {
    for (let byte = 0; byte < 256; byte++) {
      const bytes = Buffer.from([...Buffer.from('0918273645'.slice(0, digits)), byte, 0x0a])
      const isDigit = byte >= 0x30 && byte <= 0x39
      for (const { view, at } of placed(bytes))
        if (endOfDigits(view, at) !== at + digits + (isDigit ? 1 : 0)) wrong.push(`${digits} digits, then ${byte}`)
    }
  }
  t.strictSame(wrong, [])
})

t.test(
  'plain text ends at the first quote, backslash or control character, whichever bytes stand around it',
  async t => {
    const wrong: string[] = []
    for (let length = 0; length < 6; length++) {
      for (let before = 0x20; before < 256; before++) {
        if (before === 0x22 || before === 0x5c) continue
        for (const end of [0x00, 0x0a, 0x1f, 0x22, 0x5c]) {
          const view = wordView(Buffer.from([...Array<number>(length).fill(before), end, before, 0x22]))
          if (endOfPlain(view, 0) !== length) wrong.push(`${length} of ${before}, then ${end}`)
        }
      }
    }
    t.strictSame(wrong, [])
  },
)

t.test('bytes are copied whole from any offset to any other', async t => {
  const from = Buffer.from('0123456789')
  for (let start = 0; start < 4; start++) {
    for (let end = start; end <= from.length; end++) {
      for (let at = 0; at < 4; at++) {
        const to = Buffer.alloc(20)
        const after = copyBytes(new DataView(to.buffer, to.byteOffset, to.length), at, wordView(from), start, end)
        t.equal(after, at + end - start)
        t.equal(to.toString('latin1', at, after), from.toString('latin1', start, end))
      }
    }
  }
})
