/** A source divided into its rejected lines and the others, for random bytes, lines and chunk sizes. */

import { existsSync, readdirSync } from 'node:fs'
import t from 'tap'
import { chunkReader } from '../../src/source/byte-reader.js'
import { lineBlocks } from '../../src/source/lines.js'
import { acceptedSource, LineSet, splitLines } from '../../src/source/rejected-lines.js'
import { RejectCollector } from '../../src/source/rejects.js'
import type { Source } from '../../src/source/source.js'
import { Random, SEED } from '../fixtures/random.js'

t.comment(`seed ${SEED}`)
const random = new Random(SEED)

/** A source that hands out its bytes in chunks of random sizes. */
function sourceOf(bytes: Buffer, name = 'f.jsonl'): Source {
  const chunks = async function* (): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length;) {
      const end = Math.min(bytes.length, at + random.int(1, 40))
      yield bytes.subarray(at, end)
      at = end
    }
  }
  return {
    name,
    open: async () => chunkReader(chunks(), async () => undefined),
    assertUnchanged: async () => undefined,
    stat: async () => '',
    release: async () => undefined,
  }
}

async function readAll(source: Source): Promise<Buffer> {
  const parts: Buffer[] = []
  const reader = await source.open()
  const buffer = Buffer.alloc(64)
  for (let count = await reader.read(buffer, 0); count > 0; count = await reader.read(buffer, 0))
    parts.push(Buffer.from(buffer.subarray(0, count)))
  return Buffer.concat(parts)
}

type Sample = { readonly lines: readonly Buffer[]; readonly rejected: LineSet }

function sample(): Sample {
  const lines = Array.from({ length: random.int(1, 40) }, (_, __, end = random.pick(['\n', '\r\n'])) => {
    const text = random.pick(['', ' ', 'a', 'x'.repeat(random.int(1, 90)), '{"kind":"ü"}', '\xff\xfe'])
    return Buffer.from(`${text}${end}`, text.startsWith('\xff') ? 'latin1' : 'utf8')
  })
  if (random.chance(0.5)) lines[lines.length - 1] = Buffer.from('no line feed')
  const rejected = new LineSet()
  for (const index of lines.keys()) if (random.chance(0.3)) rejected.add(index + 1)
  return { lines, rejected }
}

t.test('the pieces are the bytes of the source, each with the class of its line', async t => {
  for (let turn = 0; turn < 200; turn++) {
    const { lines, rejected } = sample()
    const found: Record<string, Buffer[]> = { true: [], false: [] }
    for await (const { isRejected, bytes } of splitLines(
      { source: sourceOf(Buffer.concat(lines)), linesBefore: 0 },
      rejected,
    ))
      found[String(isRejected)]!.push(Buffer.from(bytes))
    for (const isRejected of [true, false]) {
      const wanted = lines.filter((_, index) => rejected.has(index + 1) === isRejected)
      if (!Buffer.concat(found[String(isRejected)]!).equals(Buffer.concat(wanted))) return t.fail(`turn ${turn}`)
    }
  }
  t.pass()
})

t.test('without its rejected lines a source has the same length, and the other lines at the same place', async t => {
  for (let turn = 0; turn < 200; turn++) {
    const { lines, rejected } = sample()
    const accepted = await readAll(acceptedSource({ source: sourceOf(Buffer.concat(lines)), linesBefore: 0 }, rejected))
    const wanted = lines.map((line, index) =>
      rejected.has(index + 1) ? Buffer.from(line.map(byte => (byte === 0x0a ? byte : 0x20))) : line,
    )
    if (!accepted.equals(Buffer.concat(wanted))) return t.fail(`turn ${turn}`)
  }
  t.pass()
})

t.test('a rejected line above the length limit becomes a blank line that is not too long', async t => {
  const long = Buffer.alloc(20 * 1024 * 1024, 'x')
  const bytes = Buffer.concat([Buffer.from('first\n'), long, Buffer.from('\nlast\n')])
  const rejected = new LineSet()
  rejected.add(2)
  const source: Source = {
    ...sourceOf(bytes),
    open: async () =>
      chunkReader(
        (async function* () {
          yield bytes
        })(),
        async () => undefined,
      ),
  }
  const texts: string[] = []
  for await (const { bytes, tooLong } of lineBlocks(
    await acceptedSource({ source, linesBefore: 0 }, rejected).open(),
  )) {
    t.notOk(tooLong)
    texts.push(bytes.toString())
  }
  t.strictSame(
    texts
      .join('')
      .split('\n')
      .map(text => text.trim()),
    ['first', '', 'last', ''],
  )
})

t.test('reasons name the line in the file of rejects, in whatever order lines are rejected', async t => {
  const collector = new RejectCollector()
  const [one, two] = [sourceOf(Buffer.from('a\nb\nc\nd'), 'one'), sourceOf(Buffer.from('e\r\nf\n'), 'two')]
  const reject = (source: string, line: number): void =>
    collector.note({ source, line, byte: 0, pointer: '', code: 'invalid_json', message: `${source}:${line}` })
  for (const line of [2, 4, 1, 2]) reject('one', line)
  reject('two', 1)
  t.equal(collector.rejected, 4, 'a line that is rejected twice counts once')
  const parts = [one, two].map(source => ({ source, linesBefore: 0 }))
  const set = await collector.collect(parts)
  t.equal(Buffer.concat([...set.lines()]).toString(), 'a\nb\nd\ne\r\n', 'a line feed is added only between lines')
  const reasons: string[] = []
  for await (const chunk of set.reasons()) reasons.push(chunk.toString())
  const numbers = reasons
    .join('')
    .trimEnd()
    .split('\n')
    .map(text => JSON.parse(text) as { rejects_line: number; message: string })
  t.strictSame(
    numbers.map(({ rejects_line, message }) => [message, rejects_line]),
    [
      ['one:2', 2],
      ['one:4', 3],
      ['one:1', 1],
      ['one:2', 2],
      ['two:1', 4],
    ],
  )
  t.equal((await collector.collect(parts)).id, set.id, 'the same lines have the same id')
})

t.test('a closed collector holds no temporary file', { skip: !existsSync('/proc/self/fd') && 'needs /proc' }, t => {
  const open = (): number => readdirSync('/proc/self/fd').length
  const before = open()
  const collector = new RejectCollector()
  const message = 'x'.repeat(1024)
  for (let line = 1; line <= 2_000; line++)
    collector.note({ source: 'f', line, byte: 0, pointer: '', code: 'invalid_json', message })
  t.equal(open(), before + 1)
  collector.close()
  t.equal(open(), before)
  t.end()
})
