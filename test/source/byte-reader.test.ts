import { open } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { chunkReader, fileReader, sliceReader } from '../../src/source/byte-reader.js'
import { drain, readerOf } from './fixtures/reading.js'

t.test('chunks of any size fill a buffer of any size, empty ones are passed over', async t => {
  const pieces = ['', 'abc', '', '', 'd', 'efghij', ''].map(text => Buffer.from(text))
  for (const bytes of [1, 2, 3, 7, 100]) t.equal((await drain(readerOf(pieces), bytes)).toString(), 'abcdefghij')
})

t.test('reading goes on where the buffer was filled to, and leaves what is before', async t => {
  const buffer = Buffer.from('....')
  t.equal(await readerOf([Buffer.from('ab')]).read(buffer, 3), 1)
  t.equal(buffer.toString(), '...a')
})

t.test('the end stays the end', async t => {
  const reader = readerOf([Buffer.from('x')])
  const counts = [1, 2, 3].map(async () => reader.read(Buffer.alloc(9), 0))
  t.strictSame([await counts[0], await counts[1], await counts[2]], [1, 0, 0])
})

t.test('closing ends the iterable, then what it was made from', async t => {
  const calls: string[] = []
  const chunks = async function* (): AsyncGenerator<Buffer> {
    try {
      for (;;) yield Buffer.from('x')
    } finally {
      calls.push('chunks')
    }
  }
  const reader = chunkReader(chunks(), async () => void calls.push('close'))
  await reader.read(Buffer.alloc(1), 0)
  await reader.close()
  t.strictSame(calls, ['chunks', 'close'])
})

t.test('two readers of one file each start at its first byte', async t => {
  const path = join(t.testdir({ data: 'abcdef' }), 'data')
  const file = await open(path)
  t.teardown(() => file.close())
  const [one, other] = [0, 1].map(() => fileReader(file, async () => undefined))
  const buffer = Buffer.alloc(4)
  await one!.read(buffer, 0)
  t.equal((await drain(other!)).toString(), 'abcdef')
  t.equal((await drain(one!)).toString(), 'ef')
})

t.test('a part of a reader is what lies between, whether or not it can skip', async t => {
  const path = join(t.testdir({ f: 'abcdefghij' }), 'f')
  for (const bytes of [1, 3, 100])
    for (const make of [
      async () => readerOf(['ab', 'cdef', 'ghij'].map(text => Buffer.from(text))),
      async () => {
        const file = await open(path)
        return fileReader(file, () => file.close())
      },
    ]) {
      const read = async (skipped: number, count: number): Promise<string> =>
        (await drain(await sliceReader(await make(), { skipped, bytes: count }), bytes)).toString()
      t.equal(await read(0, 10), 'abcdefghij')
      t.equal(await read(3, 4), 'defg')
      t.equal(await read(3, 0), '')
      t.equal(await read(8, 9), 'ij', 'no more than there is')
      t.equal(await read(12, 3), '')
    }
})
