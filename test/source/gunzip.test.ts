import { gzipSync } from 'node:zlib'
import t from 'tap'
import { gunzip } from '../../src/source/gunzip.js'
import { Random, SEED } from '../fixtures/random.js'
import { collect } from './fixtures/reading.js'

async function* each(pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* pieces
}

const unpacked = async (...pieces: readonly Buffer[]): Promise<string> =>
  (await collect(gunzip(each(pieces)))).toString()
const TEXT = 'one line\nanother line\n'.repeat(20)
const MEMBER = gzipSync(TEXT)

t.test('a member is read however its bytes come', async t => {
  t.equal(await unpacked(MEMBER), TEXT)
  t.equal(await unpacked(...[...MEMBER].map(byte => Buffer.of(byte))), TEXT)
})

t.test(`members in a row are read to the last, wherever the chunks fall (seed ${SEED})`, async t => {
  const members = ['a\n', 'b\n', TEXT, '', 'c\n'].map(text => gzipSync(text))
  const bytes = Buffer.concat(members)
  t.equal(await unpacked(...members), `a\nb\n${TEXT}c\n`, 'a member a chunk')
  t.equal(await unpacked(...[...bytes].map(byte => Buffer.of(byte))), `a\nb\n${TEXT}c\n`, 'a byte a chunk')
  for (const largest of [5, 20, 50])
    t.equal(await unpacked(...new Random().pieces(bytes, largest)), `a\nb\n${TEXT}c\n`, `up to ${largest}`)
})

t.test('a member that is cut anywhere is noticed', async t => {
  const noticed: string[] = []
  for (let length = 1; length < MEMBER.length; length++)
    await unpacked(MEMBER.subarray(0, length)).catch((error: unknown) => noticed.push(String(error)))
  t.equal(noticed.length, MEMBER.length - 1)
  t.strictSame(new Set(noticed), new Set(['Error: unexpected end of file']))
})

t.test('a second member that is cut is noticed as well', async t => {
  for (const length of [1, 2, 10, MEMBER.length - 1])
    await t.rejects(unpacked(MEMBER, MEMBER.subarray(0, length)), { message: 'unexpected end of file' })
})

t.test('a changed byte never gives other text', async t => {
  const wrong: number[] = []
  let noticed = 0
  for (let at = 0; at < MEMBER.length; at++) {
    const damaged = Buffer.from(MEMBER)
    damaged[at] = damaged[at]! ^ 0x10
    const text = await unpacked(damaged).catch(() => undefined)
    if (text === undefined) noticed++
    else if (text !== TEXT) wrong.push(at)
  }
  t.strictSame(wrong, [])
  t.ok(noticed > MEMBER.length / 2, `${noticed} of ${MEMBER.length}`)
})

t.test('what follows a member and is none is refused, also behind zeros, which zlib takes for padding', async t => {
  for (const pieces of [
    [MEMBER, Buffer.from('{"kind":"x"}\n')],
    [Buffer.concat([MEMBER, Buffer.from('{"kind":"x"}\n')])],
    [MEMBER, Buffer.alloc(20)],
    [Buffer.concat([MEMBER, Buffer.alloc(20)])],
    [Buffer.concat([MEMBER, Buffer.alloc(20), MEMBER])],
    [MEMBER, Buffer.alloc(20), MEMBER],
    [Buffer.concat([MEMBER, Buffer.alloc(300_000)]), MEMBER],
  ])
    await t.rejects(unpacked(...pieces), pieces.map(piece => piece.length).join(' and '))
})

t.test('what the packed bytes fail with is passed on', async t => {
  const failing = async function* (): AsyncGenerator<Buffer> {
    yield MEMBER.subarray(0, 10)
    await Promise.resolve()
    throw new Error('the disk is gone')
  }
  await t.rejects(collect(gunzip(failing())), { message: 'the disk is gone' })
})

t.test('whoever has read enough may leave', async t => {
  let ended = false
  const endless = async function* (): AsyncGenerator<Buffer> {
    try {
      for (;;) yield MEMBER
    } finally {
      ended = true
    }
  }
  for await (const chunk of gunzip(endless())) if (chunk.length > 0) break
  await new Promise(resolve => setImmediate(resolve))
  t.equal(ended, true)
})
