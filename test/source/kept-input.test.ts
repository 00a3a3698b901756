import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { copyingSource } from '../../src/source/spool.js'
import type { Source } from '../../src/source/source.js'
import { drain } from './fixtures/reading.js'

async function* chunksOf(chunks: readonly (string | Buffer)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk)
}

async function contents(source: Source): Promise<string> {
  const reader = await source.open()
  const bytes = await drain(reader)
  await reader.close()
  return bytes.toString()
}

/** Makes `folder` the folder for temporary files until the test ends. */
function useTemporaryFolder(t: Test, folder: string): void {
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = folder
  t.teardown(() => {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  })
}

const openFiles = async (): Promise<number> => (await readdir('/dev/fd')).length

t.test('an input is read as it comes and once more afterwards, and leaves no file', async t => {
  const folder = t.testdir({})
  useTemporaryFolder(t, folder)
  const files = await openFiles()
  const large = Array.from({ length: 300 }, (_, at) => `${at}:${'x'.repeat(20_000)}\n`)
  for (const chunks of [['abc\n', 'größe\n'], [], large]) {
    const source = copyingSource('-', chunksOf(chunks), undefined)
    t.equal(await contents(source), chunks.join(''))
    t.strictSame(await readdir(folder), [], 'no named file')
    t.equal(await contents(source), chunks.join(''), 'read again')
    t.equal(await contents(source), chunks.join(''), 'and again')
    await source.release()
  }
  t.ok((await openFiles()) <= files, 'no file stays open')
})

t.test('packed input is kept packed and unpacked at every opening', async t => {
  const source = copyingSource('-', chunksOf([gzipSync('abc\n')]), undefined)
  t.equal(await contents(source), 'abc\n')
  t.equal(await contents(source), 'abc\n')
  await source.release()
})

t.test('the first reading does not wait for the end of the input', async t => {
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) yield Buffer.from('abc\n')
  }
  const source = copyingSource('-', endless(), undefined)
  const reader = await source.open()
  const buffer = Buffer.alloc(4)
  await reader.read(buffer, 0)
  t.equal(buffer.toString(), 'abc\n')
  await reader.close()
  await t.rejects(source.open(), { message: '- was not read to its end' })
  await source.release()
})

t.test('where no copy can be written, only reading again fails, and says what to do', async t => {
  const missing = join(t.testdir({}), 'missing')
  useTemporaryFolder(t, missing)
  const source = copyingSource('-', chunksOf(['abc\n', 'def\n']), undefined)
  t.equal(await contents(source), 'abc\ndef\n')
  await t.rejects(source.open(), {
    code: 'input_unreadable',
    message: new RegExp(`^-: cannot keep the input in ${missing}: ENOENT`),
    hint: 'set TMPDIR to a folder with room',
  })
  await source.release()
})

t.test('an input that fails fails its reading, and its copy is let go', async t => {
  const files = await openFiles()
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('abc\n')
    throw new Error('the other end is gone')
  }
  const source = copyingSource('-', failing(), undefined)
  await t.rejects(contents(source), { message: 'the other end is gone' })
  await source.release()
  t.ok((await openFiles()) <= files, 'no file stays open')
})

t.test('an input that is released unread was never iterated', async t => {
  let isIterated = false
  async function* watchedInput(): AsyncGenerator<Uint8Array> {
    isIterated = true
    yield* chunksOf(['abc'])
  }
  const source = copyingSource('-', watchedInput(), undefined)
  await source.release()
  t.equal(isIterated, false)
})
