import t from 'tap'
import { jsHash64, wasmHash64 } from '../../src/contract/hash64.js'
import { Random, SEED } from '../fixtures/random.js'

const implementations = { wasm: await wasmHash64(), js: await jsHash64() }

/** XXH64 with seed 0, from the reference implementation (`xxhsum -H64`). */
const KNOWN = {
  '': 0xef46db3751d8e999n,
  a: 0xd24ec4f1a98c6e5bn,
  abc: 0x44bc2cf5ad770999n,
  'Nobody inspects the spammish repetition': 0xfbcea83c8a378bf1n,
}

for (const [name, hash] of Object.entries(implementations))
  t.test(`${name}: known digests come out, unsigned`, async t => {
    for (const [text, digest] of Object.entries(KNOWN)) t.equal(hash(Buffer.from(text)), digest, JSON.stringify(text))
  })

t.test(
  `both implementations agree on random bytes of every length up to 300, and on long ones (seed ${SEED})`,
  async t => {
    const random = new Random()
    const lengths = [...Array.from({ length: 301 }, (_, length) => length), 4095, 4096, 65_537, 1_000_003]
    const disagreements: number[] = []
    let leadingZeros = 0
    for (const length of lengths)
      for (let round = 0; round < (length > 300 ? 1 : 4); round++) {
        const bytes = random.bytes(length)
        const digest = implementations.wasm(bytes)
        if (digest !== implementations.js(bytes)) disagreements.push(length)
        if (digest < 2n ** 60n) leadingZeros++
      }
    t.strictSame(disagreements, [])
    t.ok(leadingZeros > 10, 'digests whose hex is shorter than 16 digits were among them')
  },
)

t.test('a slice of a larger buffer is hashed as the slice alone', async t => {
  const bytes = new Random().bytes(200)
  for (const [name, hash] of Object.entries(implementations))
    t.equal(hash(bytes.subarray(13, 113)), hash(Buffer.from(bytes.subarray(13, 113))), name)
})
