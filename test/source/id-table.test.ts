import t from 'tap'
import { IdTable } from '../../src/source/id-table.js'
import { Random, SEED } from '../fixtures/random.js'

type Repeat = readonly [line: number, before: number]

/** Puts ids on lines 1, 2, 3… and returns the reported repeats. */
function putAll(table: IdTable, ids: readonly bigint[], firstLine = 1): Repeat[] {
  const repeats: Repeat[] = []
  const lines = Uint32Array.from(ids, (_, at) => firstLine + at)
  table.putAll(BigInt64Array.from(ids), lines, (line, before) => repeats.push([line, before]))
  return repeats
}

const IDS: Readonly<Record<string, (random: Random, at: number) => bigint>> = {
  'random ids': random => random.i64(),
  'few ids, often repeated': random => BigInt(random.int(-500, 500)),
  'ids that share their low 32 bits': random => (BigInt(random.int(0, 3_000)) << 32n) - (1n << 42n),
  'ids in a row, which fill neighbouring slots': (random, at) => BigInt(at - random.int(0, 1_000)),
  'ids that share all but their highest bit': random => random.pick([5n, 5n - (1n << 63n), -5n, (1n << 63n) - 5n]),
}

for (const [what, make] of Object.entries(IDS))
  t.test(`it remembers what a Map remembers: ${what} (seed ${SEED})`, async t => {
    const random = new Random()
    const ids = Array.from({ length: 6_000 }, (_, at) => make(random, at))
    const map = new Map<bigint, number>()
    const expected: Repeat[] = []
    for (const [at, id] of ids.entries()) {
      const before = map.get(id)
      if (before !== undefined) expected.push([at + 1, before])
      map.set(id, at + 1)
    }
    const table = new IdTable()
    const repeats: Repeat[] = []
    for (let from = 0; from < ids.length; from += 1_000)
      repeats.push(...putAll(table, ids.slice(from, from + 1_000), from + 1))
    t.strictSame(repeats, expected)
    t.equal(table.size, map.size)
    t.strictSame(
      ids.filter(id => table.get(id) !== map.get(id)),
      [],
    )
    const others = Array.from({ length: 1_000 }, () => random.i64()).filter(id => !map.has(id))
    t.strictSame(
      others.filter(id => table.get(id) !== 0),
      [],
      'and nothing else',
    )
  })

t.test('an empty table knows no id', async t => {
  const table = new IdTable()
  for (const id of [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n)]) t.equal(table.get(id), 0)
  t.equal(table.size, 0)
})

t.test('0 and the ends of the range are ids like any other', async t => {
  const table = new IdTable()
  const ids = [0n, 2n ** 63n - 1n, -(2n ** 63n), -1n]
  t.strictSame(putAll(table, ids), [])
  t.strictSame(
    ids.map(id => table.get(id)),
    [1, 2, 3, 4],
  )
  t.strictSame(putAll(table, [0n], 9), [[9, 1]])
})

t.test('part of a larger array of ids is put as that part', async t => {
  const table = new IdTable()
  table.putAll(BigInt64Array.of(7n, 8n, 9n).subarray(1, 2), Uint32Array.of(5, 6), () => t.fail('nothing repeats'))
  t.strictSame(
    [7n, 8n, 9n].map(id => table.get(id)),
    [0, 5, 0],
  )
})
