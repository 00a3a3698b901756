import { gzipSync } from 'node:zlib'
import t from 'tap'
import { IngestError } from '../../src/errors.js'
import { decompress } from '../../src/source/decompress.js'
import { drain, readerOf } from './fixtures/reading.js'
import { LARGE, PARALLEL, SMALL } from './fixtures/zstd.js'

/** The decompressed outputs of some bytes, read in one piece and byte by byte. */
async function outcomes(bytes: Buffer): Promise<string[]> {
  const feedings = [[bytes], [...bytes].map(byte => Buffer.of(byte))]
  return Promise.all(
    feedings.map(async pieces => (await drain(await decompress(readerOf(pieces), 'a.jsonl'))).toString('latin1')),
  )
}

const PACKED: Readonly<Record<string, readonly [bytes: Buffer, text: string]>> = {
  gzip: [gzipSync('abc\n'), 'abc\n'],
  'gzip in several members': [Buffer.concat([gzipSync('abc\n'), gzipSync('def\n')]), 'abc\ndef\n'],
  'gzip of nothing': [gzipSync(''), ''],
  zstd: [SMALL.bytes, SMALL.text],
  'zstd in several frames': [Buffer.concat([SMALL.bytes, LARGE.bytes]), SMALL.text + LARGE.text],
  'zstd that starts with a frame to skip': [PARALLEL.bytes, PARALLEL.text],
}

for (const [what, [bytes, text]] of Object.entries(PACKED))
  t.test(`told by its first bytes and unpacked: ${what}`, async t => {
    for (const outcome of await outcomes(bytes)) t.equal(outcome, text)
  })

const PLAIN: Readonly<Record<string, Buffer>> = {
  nothing: Buffer.alloc(0),
  'one byte': Buffer.from('{'),
  'three bytes': Buffer.from('{}\n'),
  'a line': Buffer.from('{"kind":"x"}\n'),
  'half of what gzip starts with': Buffer.from([0x1f]),
  'almost what gzip starts with': Buffer.from([0x1f, 0x8c, 0x08, 0x00, 0x00]),
  'three quarters of what zstd starts with': Buffer.from([0x28, 0xb5, 0x2f]),
  'almost what zstd starts with': Buffer.from([0x28, 0xb5, 0x2f, 0xfe, 0x00]),
  'almost a frame to skip': Buffer.from([0x60, 0x2a, 0x4d, 0x18, 0x00]),
  bzip2: Buffer.from('BZh91AY&SY'),
}

for (const [what, bytes] of Object.entries(PLAIN))
  t.test(`read as it is: ${what}`, async t => {
    for (const outcome of await outcomes(bytes)) t.equal(outcome, bytes.toString('latin1'))
  })

const DAMAGED: Readonly<Record<string, readonly [bytes: Buffer, format: string]>> = {
  'gzip cut in the middle': [gzipSync('abc\n'.repeat(100)).subarray(0, 20), 'gzip'],
  'gzip cut behind its first two bytes': [Buffer.from([0x1f, 0x8b]), 'gzip'],
  'gzip with a wrong checksum': [changed(gzipSync('abc\n'), -8), 'gzip'],
  'gzip with more behind it': [Buffer.concat([gzipSync('abc\n'), Buffer.from('{}\n')]), 'gzip'],
  'zstd cut in the middle': [LARGE.bytes.subarray(0, 100), 'zstd'],
  'zstd cut behind its first four bytes': [LARGE.bytes.subarray(0, 4), 'zstd'],
  'zstd with a wrong checksum': [changed(SMALL.bytes, -1), 'zstd'],
  'zstd with a changed byte': [changed(SMALL.bytes, 60), 'zstd'],
  'zstd with more behind it': [Buffer.concat([SMALL.bytes, Buffer.from('{}\n')]), 'zstd'],
}

for (const [what, [bytes, format]] of Object.entries(DAMAGED))
  t.test(`noticed, naming the source: ${what}`, async t => {
    const error = await outcomes(bytes).catch((error: unknown) => error)
    if (!(error instanceof IngestError)) return t.fail('it was read')
    t.equal(error.code, 'input_corrupt')
    t.match(error.message, new RegExp(`^a\\.jsonl: ${format} data is damaged or cut short \\(.+\\)$`))
    t.ok(error.hint)
    t.ok(error.cause)
  })

t.test('the reader below is closed, also halfway', async t => {
  for (const bytes of [Buffer.from('plain\n'), gzipSync('x'.repeat(5_000_000)), LARGE.bytes])
    for (const reads of [0, 1]) {
      let closed = 0
      const reader = await decompress(
        readerOf([bytes], async () => void closed++),
        'a.jsonl',
      )
      for (let read = 0; read < reads; read++) t.equal(await reader.read(Buffer.alloc(1), 0), 1)
      await reader.close()
      t.equal(closed, 1, `${bytes.length} bytes, ${reads} reads`)
    }
})

t.test('an error that says what is wrong is not called damage', async t => {
  const gone = new IngestError('input_unreadable', 'the disk is gone')
  const failing = function* (): Generator<Buffer> {
    yield gzipSync('abc').subarray(0, 10)
    throw gone
  }
  const reader = await decompress(readerOf(failing()), 'a.jsonl')
  t.equal(await drain(reader).catch((error: unknown) => error), gone)
})

function changed(bytes: Buffer, at: number): Buffer {
  const damaged = Buffer.from(bytes)
  const index = at < 0 ? bytes.length + at : at
  damaged[index] = damaged[index]! ^ 1
  return damaged
}
