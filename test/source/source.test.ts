import { existsSync, utimesSync } from 'node:fs'
import { appendFile, rename, unlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { IngestError } from '../../src/errors.js'
import { fileSource, unreadableError, type Source } from '../../src/source/source.js'
import { drain } from './fixtures/reading.js'

const WRITTEN = 1_700_000_000

async function contents(source: Source): Promise<string> {
  const reader = await source.open()
  try {
    return (await drain(reader)).toString()
  } finally {
    await reader.close()
  }
}

/** A file last modified at a whole second, a time that a test can set again. */
function file(t: Test, content: string | Buffer = 'abc\n'): string {
  const path = join(t.testdir({ 'r.jsonl': content as string }), 'r.jsonl')
  utimesSync(path, WRITTEN, WRITTEN)
  return path
}

t.test('a file is read from its start at every opening, unpacked where it is packed', async t => {
  for (const content of ['abc\n', gzipSync('abc\n')]) {
    const source = fileSource(file(t, content))
    t.equal(await contents(source), 'abc\n')
    t.equal(await contents(source), 'abc\n')
    await source.assertUnchanged()
  }
})

t.test('two openings at once do not disturb each other', async t => {
  const source = fileSource(file(t, 'abcdef'))
  const [one, other] = [await source.open(), await source.open()]
  const buffer = Buffer.alloc(3)
  await one.read(buffer, 0)
  t.equal((await drain(other)).toString(), 'abcdef')
  t.equal((await drain(one)).toString(), 'def')
  await Promise.all([one.close(), other.close()])
})

const CHANGES: Readonly<Record<string, (path: string) => Promise<void>>> = {
  'it grew': path => appendFile(path, 'more\n'),
  'it grew, and its time was set back': async path => {
    await appendFile(path, 'more\n')
    await utimes(path, WRITTEN, WRITTEN)
  },
  'it was written again with as many bytes': async path => {
    await writeFile(path, 'xyz\n')
    await utimes(path, WRITTEN + 1, WRITTEN + 1)
  },
  'it was written again with as many bytes, and its time was set back': async path => {
    await writeFile(path, 'xyz\n')
    await utimes(path, WRITTEN, WRITTEN)
  },
  'another file took its place': async path => {
    await writeFile(`${path}.new`, 'abc\n')
    await utimes(`${path}.new`, WRITTEN, WRITTEN)
    await rename(`${path}.new`, path)
  },
}

for (const [what, change] of Object.entries(CHANGES))
  t.test(`a file that changes between two passes is noticed: ${what}`, async t => {
    const path = file(t)
    const source = fileSource(path)
    await contents(source)
    await change(path)
    const changed = { code: 'input_changed', message: `${path} changed while it was being read` }
    await t.rejects(source.open(), changed)
    await t.rejects(source.assertUnchanged(), changed)
  })

t.test('a file that is gone at the second pass is called missing', async t => {
  const path = file(t)
  const source = fileSource(path)
  await contents(source)
  await unlink(path)
  await t.rejects(source.open(), { code: 'no_input', message: `${path}: no such file` })
  await t.rejects(source.assertUnchanged(), { code: 'no_input' })
})

t.test('what keeps a file from being read has a code, and what to do where that is known', async t => {
  const system = (code: string): Error => Object.assign(new Error(`${code}: bad luck, open 'r'`), { code })
  const expected = [
    ['ENOENT', 'no_input', 'r: no such file', 'check the name, or quote a glob'],
    ['EISDIR', 'no_input', 'r is a directory', undefined],
    ['EACCES', 'input_unreadable', 'r: permission denied', 'check who may read the file'],
    ['EPERM', 'input_unreadable', 'r: permission denied', 'check who may read the file'],
    ['EIO', 'input_unreadable', `r: EIO: bad luck, open 'r'`, undefined],
  ] as const
  for (const [systemCode, code, message, hint] of expected) {
    const cause = system(systemCode)
    const error = unreadableError('r', cause)
    t.ok(error instanceof IngestError)
    t.strictSame([error.code, error.message, error.hint, error.cause], [code, message, hint, cause], systemCode)
  }
})

// A special file of Linux that can be opened and then fails to be read, like a file on a failing disk.
const UNREADABLE = '/proc/self/mem'

t.test(
  'a file that fails while it is read is named',
  { skip: !existsSync(UNREADABLE) && 'this system has no file that fails so' },
  async t => {
    await t.rejects(contents(fileSource(UNREADABLE)), {
      code: 'input_unreadable',
      message: /^\/proc\/self\/mem: EIO/,
    })
  },
)
