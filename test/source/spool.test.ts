import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { spool } from '../../src/source/spool.js'
import type { Source } from '../../src/source/source.js'
import { drain } from './fixtures/reading.js'

/** Creates a folder and makes it the one for temporary files until the test ends. */
function temporary(t: Test): string {
  const before = process.env['TMPDIR']
  const folder = t.testdir({})
  process.env['TMPDIR'] = folder
  t.teardown(() => {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  })
  return folder
}

async function contents(source: Source): Promise<string> {
  const reader = await source.open()
  const bytes = await drain(reader)
  await reader.close()
  return bytes.toString()
}

t.test('what can be read once is kept, to be read again, and leaves no named file', async t => {
  const folder = temporary(t)
  const source = await spool('-', Readable.from([Buffer.from('abc\n'), Buffer.from('def\n')]))
  t.equal(source.name, '-')
  t.strictSame(await readdir(folder), [])
  t.equal(await contents(source), 'abc\ndef\n')
  t.equal(await contents(source), 'abc\ndef\n')
  await source.assertUnchanged()
  await source.release()
})

t.test('two readers at once do not disturb each other', async t => {
  const source = await spool('-', Readable.from([Buffer.from('abcdef')]))
  const [one, other] = [await source.open(), await source.open()]
  await one.read(Buffer.alloc(2), 0)
  t.equal((await drain(other)).toString(), 'abcdef')
  t.equal((await drain(one)).toString(), 'cdef')
  await source.release()
})

t.test('packed input is kept packed and unpacked at every opening', async t => {
  const source = await spool('-', Readable.from([gzipSync('abc\n')]))
  t.equal(await contents(source), 'abc\n')
  t.equal(await contents(source), 'abc\n')
  await source.release()
})

t.test('text is kept as UTF-8, nothing as nothing, and much as much', async t => {
  const inputs = [['größe\n', 'データ\n'], [], Array.from({ length: 500 }, () => 'x'.repeat(20_000))]
  for (const chunks of inputs) {
    const source = await spool('-', Readable.from(chunks))
    t.equal(await contents(source), chunks.join(''))
    await source.release()
  }
})

t.test('after its release nothing is held: it cannot be read any more', async t => {
  const source = await spool('-', Readable.from([Buffer.from('abc\n')]))
  await source.release()
  await t.rejects(source.open(), /closed/)
})

t.test('an input that fails is named, with what failed', async t => {
  const folder = temporary(t)
  const failing = new PassThrough()
  failing.write('abc')
  setImmediate(() => failing.destroy(new Error('the other end is gone')))
  await t.rejects(spool('-', failing), { code: 'input_unreadable', message: '-: the other end is gone' })
  await t.rejects(spool('here', createReadStream(tmpdir())), { code: 'no_input', message: 'here is a directory' })
  await t.rejects(spool('x', createReadStream(join(folder, 'x'))), { code: 'no_input', message: 'x: no such file' })
  t.strictSame(await readdir(folder), [])
})

t.test('an input that failed before anybody listened is no unhandled error', async t => {
  const failed = new PassThrough()
  failed.destroy(new Error('gone at once'))
  await t.rejects(spool('-', failed), { code: 'input_unreadable' })
})

t.test('a folder that cannot hold the input is named, with what to do', async t => {
  const folder = temporary(t)
  process.env['TMPDIR'] = join(folder, 'missing')
  await t.rejects(spool('-', Readable.from(['abc'])), {
    code: 'input_unreadable',
    message: new RegExp(`^-: cannot keep the input in ${join(folder, 'missing')}: ENOENT`),
    hint: 'set TMPDIR to a folder with room',
  })
})

t.test('a signal ends the waiting for input that never comes', async t => {
  const folder = temporary(t)
  const stop = new AbortController()
  const reason = new Error('interrupted')
  const spooling = t.rejects(spool('-', new PassThrough(), { signal: stop.signal }), reason)
  setImmediate(() => stop.abort(reason))
  await spooling
  t.strictSame(await readdir(folder), [])
})
