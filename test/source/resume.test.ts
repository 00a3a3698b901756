import {
  appendFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { tmpdir } from 'node:os'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { openInputs } from '../../src/source/inputs.js'
import { lineBlocks } from '../../src/source/lines.js'
import { isUntouched, findNewPart, type SourceStart, type NewPart } from '../../src/source/resume.js'
import { fileSource, type Source } from '../../src/source/source.js'
import { waitUntil } from '../fixtures/wait-until.js'

type Test = { testdir(): string }

const file = (t: Test, content: string | Uint8Array): string => {
  const path = join(t.testdir(), 'f.jsonl')
  writeFileSync(path, content)
  return path
}
const growing = (path: string): Source => fileSource(path, { mayGrow: true })
const take = async (path: string, taken?: SourceStart): Promise<NewPart> => findNewPart(growing(path), taken)

async function textOf({ source }: NewPart): Promise<string> {
  let text = ''
  for await (const { bytes } of lineBlocks(await source.open())) text += bytes.toString()
  return text
}

t.test('all of a source is new the first time, and again when nothing was taken of it', async t => {
  const path = file(t, 'a\nb\n')
  const rest = await take(path)
  t.match(rest, { change: 'new', skipped: 0, whole: { bytes: 4 }, isOpenEnded: false })
  t.equal(await textOf(rest), 'a\nb\n')
})

t.test('a file that grew gives only what came after', async t => {
  const path = file(t, 'a\nb\n')
  const { whole } = await take(path)
  appendFileSync(path, 'c\n')
  const rest = await take(path, whole)
  t.match(rest, { change: 'grown', skipped: 4, whole: { bytes: 6 } })
  t.equal(await textOf(rest), 'c\n')
  t.equal(await textOf(rest), 'c\n', 'as often as it is asked')
})

t.test('a file that did not change gives nothing', async t => {
  const path = file(t, 'a\nb\n')
  const { whole } = await take(path)
  const rest = await take(path, whole)
  t.match(rest, { change: 'unchanged', skipped: 4 })
  t.equal(await textOf(rest), '')
  t.match(await take(path, rest.whole), { change: 'unchanged' })
})

t.test('a file that was cut off, rotated or written anew is taken from its start', async t => {
  const path = file(t, 'aaaa\nbbbb\n')
  const { whole } = await take(path)
  const ways: readonly (readonly [string, () => void, string])[] = [
    ['cut off', () => truncateSync(path, 5), 'aaaa\n'],
    ['emptied', () => truncateSync(path, 0), ''],
    ['rewritten in the middle, of the same size', () => writeFileSync(path, 'aaaa\nbxbb\n'), 'aaaa\nbxbb\n'],
    ['rewritten and longer', () => writeFileSync(path, 'xaaa\nbbbb\ncccc\n'), 'xaaa\nbbbb\ncccc\n'],
    ['rotated', () => (renameSync(path, `${path}.1`), writeFileSync(path, 'cccc\n')), 'cccc\n'],
  ]
  for (const [name, change, text] of ways) {
    change()
    const rest = await take(path, whole)
    t.match(rest, { change: 'other', skipped: 0 }, name)
    t.equal(await textOf(rest), text, name)
  }
})

t.test('a copy elsewhere is recognised by its bytes', async t => {
  const { whole } = await take(file(t, 'a\n'))
  t.match(await take(file(t, 'a\nb\n'), whole), { change: 'grown', skipped: 2 })
})

t.test('a last line without its line feed goes on later', async t => {
  const path = file(t, '{"a":1}\n{"b":2}')
  const first = await take(path)
  t.match(first, { isOpenEnded: true, whole: { bytes: 15 } })
  t.equal(await textOf(first), '{"a":1}\n{"b":2}\n')
  appendFileSync(path, '\n{"c":3}')
  const rest = await take(path, first.whole)
  t.match(rest, { change: 'grown', skipped: 15, isOpenEnded: true })
  t.equal(await textOf(rest), '\n{"c":3}\n')
})

t.test('an empty file is new, then unchanged, then grown', async t => {
  const path = file(t, '')
  const first = await take(path)
  t.match(first, { change: 'new', isOpenEnded: false, whole: { bytes: 0 } })
  t.match(await take(path, first.whole), { change: 'unchanged' })
  appendFileSync(path, 'a\n')
  const rest = await take(path, first.whole)
  t.match(rest, { change: 'grown', skipped: 0 })
  t.equal(await textOf(rest), 'a\n')
})

t.test('compressed files grow in what they hold', async t => {
  const path = file(t, gzipSync('a\nb\n'))
  const { whole } = await take(path)
  t.equal(whole.bytes, 4)
  appendFileSync(path, gzipSync('c\n'))
  const rest = await take(path, whole)
  t.match(rest, { change: 'grown', skipped: 4 })
  t.equal(await textOf(rest), 'c\n')
  writeFileSync(path, 'a\nb\nc\nd\n')
  t.equal(await textOf(await take(path, rest.whole)), 'd\n', 'and so does the same uncompressed')
})

t.test('standard input is told by its bytes, too', async t => {
  const rest = async (text: string, taken?: SourceStart): Promise<NewPart> => {
    const [source] = await openInputs(['-'], { stdin: Readable.from([Buffer.from(text)]), rereadable: true })
    t.teardown(() => source?.release())
    return findNewPart(source!, taken)
  }
  const { whole } = await rest('a\n')
  t.match(await rest('a\n', whole), { change: 'unchanged' })
  t.match(await rest('b\n', whole), { change: 'other' })
  const grown = await rest('a\nb\n', whole)
  t.match(grown, { change: 'grown' })
  t.equal(await textOf(grown), 'b\n')
})

t.test('large files are cut at the byte', async t => {
  const line = `${'x'.repeat(99)}\n`
  const path = file(t, line.repeat(25_000))
  const { whole } = await take(path)
  appendFileSync(path, 'y\n')
  const rest = await take(path, whole)
  t.match(rest, { change: 'grown', skipped: 2_500_000 })
  t.equal(await textOf(rest), 'y\n')
})

t.test('what is written while it is read belongs to the next time', async t => {
  const path = file(t, 'a\n')
  const rest = await take(path)
  appendFileSync(path, 'b\n')
  t.equal(await textOf(rest), 'a\n')
  t.equal(await textOf(await take(path, rest.whole)), 'b\n')
})

t.test('what is written anew after it was looked at is noticed when it is read', async t => {
  for (const text of ['aaaa\nbxbb\n', 'xaaa\nbbbb\n', 'aaaa\nbxbb\ncccc\n']) {
    const path = file(t, 'aaaa\n')
    const { whole } = await take(path)
    appendFileSync(path, 'bbbb\n')
    const rest = await take(path, whole)
    writeFileSync(path, text)
    // After the part that was read before, only new content is read.
    if (text.startsWith('x')) t.equal(await textOf(rest), 'bbbb\n')
    else await t.rejects(textOf(rest), { code: 'input_changed', hint: /may only grow during a push/ })
  }
})

t.test('a file that is cut off while it is read is refused', async t => {
  const path = file(t, 'aaaa\nbbbb\n')
  const rest = await take(path)
  truncateSync(path, 5)
  await t.rejects(textOf(rest), { code: 'input_changed' })
})

t.test('isUntouched', async t => {
  await t.test('says yes only while the system says the same of a file', async t => {
    const folder = mkdtempSync(join(tmpdir(), 'vortex-ingest-resume-'))
    t.teardown(() => rmSync(folder, { recursive: true }))
    if (statfsSync(folder).type === 0x01021994) return void t.comment('tmpfs does not show every change')
    const path = join(folder, 'f.jsonl')
    writeFileSync(path, 'a\n')
    await waitUntil(async () => (await growing(path).stat({ flush: true })) !== '')
    const { whole } = await take(path)
    t.not(whole.stat, '')
    t.equal(
      await isUntouched(growing(path), { ...whole, stat: whole.stat.replace(/^v2:/, '') }),
      false,
      'as in old states',
    )
    t.equal(await isUntouched(growing(path), whole), true)
    const { atime, mtime } = statSync(path)
    writeFileSync(path, 'b\n')
    utimesSync(path, atime, mtime)
    t.equal(await isUntouched(growing(path), whole), false, 'whoever sets the time back does not hide a write')
  })

  await t.test('does not trust a stamp that is too fresh to tell two writes apart', async t => {
    const path = file(t, 'a\n')
    const { whole } = await take(path)
    t.equal(whole.stat, '')
    t.equal(await isUntouched(growing(path), whole), false)
  })

  await t.test('says no where nothing was taken', async t => {
    t.equal(await isUntouched(growing(file(t, 'a\n')), undefined), false)
  })
})
