import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { openInputs, releaseSources, type InputOptions } from '../../src/source/inputs.js'
import type { Source } from '../../src/source/source.js'
import { drain } from './fixtures/reading.js'

type Stdin = InputOptions['stdin']

const open = (
  patterns: readonly string[],
  { stdin = Readable.from([]), rereadable = false }: Partial<InputOptions> = {},
): Promise<readonly Source[]> => openInputs(patterns, { stdin, rereadable })

const names = (sources: readonly Source[]): string[] => sources.map(({ name }) => name)

async function contents(source: Source): Promise<string> {
  const reader = await source.open()
  const bytes = await drain(reader)
  await reader.close()
  return bytes.toString()
}

/** Creates a folder and makes it the current one until the test ends. */
function within(t: Test, files: Readonly<Record<string, string | Record<string, string>>>): string {
  const before = process.cwd()
  const folder = t.testdir(files)
  process.chdir(folder)
  t.teardown(() => process.chdir(before))
  return folder
}

t.test('files come in the order in which they were named, each once', async t => {
  within(t, { 'a.jsonl': 'a', 'b.jsonl': 'b', 'c.jsonl': 'c' })
  t.strictSame(names(await open(['c.jsonl', 'a.jsonl', 'c.jsonl'])), ['c.jsonl', 'a.jsonl'])
  t.equal(await contents((await open(['b.jsonl']))[0]!), 'b')
})

t.test('a glob stands for its files in the order of their names, those named before it left out', async t => {
  within(t, {
    'b.jsonl': 'b',
    'a.jsonl': 'a',
    'c.jsonl': 'c',
    'note.txt': 'no',
    '.hidden.jsonl': 'h',
    deep: { 'd.jsonl': 'd' },
  })
  t.strictSame(names(await open(['*.jsonl'])), ['.hidden.jsonl', 'a.jsonl', 'b.jsonl', 'c.jsonl'])
  t.strictSame(names(await open(['c.jsonl', '[ab].jsonl', '*.jsonl'])), [
    'c.jsonl',
    'a.jsonl',
    'b.jsonl',
    '.hidden.jsonl',
  ])
  t.strictSame(names(await open(['**/*.jsonl'])).at(-1), 'deep/d.jsonl')
  t.strictSame(names(await open(['{c,a}.jsonl'])), ['a.jsonl', 'c.jsonl'])
})

t.test('a glob that is absolute gives absolute names', async t => {
  const folder = within(t, { 'a.jsonl': 'a', 'b.jsonl': 'b' })
  t.strictSame(names(await open([join(folder, '*.jsonl')])), [join(folder, 'a.jsonl'), join(folder, 'b.jsonl')])
})

t.test('a file whose own name looks like a glob is that file', async t => {
  within(t, { '[ab].jsonl': 'literal', 'a.jsonl': 'a', 'what?.jsonl': 'question', '*.jsonl': 'star' })
  for (const [name, text] of [
    ['[ab].jsonl', 'literal'],
    ['what?.jsonl', 'question'],
    ['*.jsonl', 'star'],
  ] as const) {
    const sources = await open([name])
    t.strictSame(names(sources), [name])
    t.equal(await contents(sources[0]!), text)
  }
})

t.test('a glob takes files only, and says so when there are none', async t => {
  within(t, { 'a.jsonl': { 'x.txt': 'x' }, 'b.txt': 'b' })
  await t.rejects(open(['*.jsonl']), {
    code: 'no_input',
    message: '*.jsonl: no file matches',
    hint: 'check the pattern',
  })
})

t.test('a file that is not there, and a directory, are named with what to do', async t => {
  within(t, { folder: { 'a.jsonl': 'a' } })
  await t.rejects(open(['missing.jsonl']), {
    code: 'no_input',
    message: 'missing.jsonl: no such file',
    hint: 'check the name, or quote a glob',
  })
  for (const name of ['folder', 'folder/'])
    await t.rejects(open([name]), {
      code: 'no_input',
      message: `${name} is a directory`,
      hint: "name its files: 'folder/*.jsonl'",
    })
})

t.test('a link is what it points to', async t => {
  within(t, { 'a.jsonl': 'a' })
  await symlink('a.jsonl', 'link.jsonl')
  await symlink('nowhere', 'broken.jsonl')
  t.equal(await contents((await open(['link.jsonl']))[0]!), 'a')
  await t.rejects(open(['broken.jsonl']), { code: 'no_input' })
})

t.test('without names standard input is read, unless it is a terminal', async t => {
  const stdin = Readable.from([Buffer.from('abc')])
  const sources = await open([], { stdin })
  t.strictSame(names(sources), ['-'])
  t.equal(await contents(sources[0]!), 'abc')
  const terminal: Stdin = Object.assign(new PassThrough(), { isTTY: true })
  await t.rejects(open([], { stdin: terminal }), {
    code: 'usage',
    message: 'no input',
    hint: 'name a file, or pipe records in',
  })
})

t.test('- is standard input, once, even if it is a terminal, and also packed', async t => {
  const terminal: Stdin = Object.assign(Readable.from([gzipSync('abc')]), { isTTY: true })
  const sources = await open(['-', '-'], { stdin: terminal })
  t.strictSame(names(sources), ['-'])
  t.equal(await contents(sources[0]!), 'abc')
  await sources[0]!.assertUnchanged()
  await releaseSources(sources)
})

t.test('standard input can be read again where that is asked for', async t => {
  for (const rereadable of [true, 'maybe'] as const) {
    const sources = await open(['-'], { stdin: Readable.from(['a', 'b']), rereadable })
    t.equal(await contents(sources[0]!), 'ab')
    t.equal(await contents(sources[0]!), 'ab')
    await releaseSources(sources)
  }
})

t.test('standard input that gives text and not bytes is read as UTF-8', async t => {
  t.equal(await contents((await open(['-'], { stdin: Readable.from(['grö', 'ße']) }))[0]!), 'größe')
})

t.test('a named pipe is read to its end, once or as often as asked for', async t => {
  const folder = within(t, {})
  for (const rereadable of [false, true, 'maybe'] as const) {
    const path = join(folder, `pipe-${rereadable}`)
    execFileSync('mkfifo', [path])
    const opening = open([relative(folder, path)], { rereadable })
    createWriteStream(path).end('abc\n')
    const [source] = await opening
    for (let pass = 0; pass < (rereadable === false ? 1 : 2); pass++) t.equal(await contents(source!), 'abc\n')
    await source!.release()
  }
})

t.test('a pipe that is never read is never opened: its writer waits', async t => {
  const folder = within(t, { 'a.jsonl': 'a' })
  execFileSync('mkfifo', ['pipe'])
  const [, pipe] = await open(['a.jsonl', 'pipe'])
  const writer = createWriteStream(join(folder, 'pipe'))
  let opened = false
  writer.on('open', () => (opened = true))
  await setTimeout(50)
  t.equal(opened, false)
  writer.end('abc')
  t.equal(await contents(pipe!), 'abc')
})

t.test('what is neither a file nor a pipe is refused when its turn comes, not before and not unhandled', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'vortex-ingest-test-'))
  t.teardown(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'a.jsonl'), 'a')
  const server = createServer().listen(join(folder, 'socket'))
  await once(server, 'listening')
  t.teardown(() => server.close())
  const refused = { code: 'input_unreadable', message: new RegExp(`^${join(folder, 'socket')}: ENXIO`) }
  const [file, socket] = await open([join(folder, 'a.jsonl'), join(folder, 'socket')])
  await setTimeout(50)
  t.equal(await contents(file!), 'a')
  await t.rejects(contents(socket!), refused)
  await t.rejects(open([join(folder, 'socket')], { rereadable: true }), refused)
  t.strictSame(await readdir(folder), ['a.jsonl', 'socket'])
})

t.test('when one input cannot be opened, those opened before it are let go', async t => {
  within(t, {})
  const openFiles = async (): Promise<number> => (await readdir('/dev/fd')).length
  const before = await openFiles()
  const inputs = open(['-', 'missing.jsonl'], { stdin: Readable.from(['abc']), rereadable: true })
  await t.rejects(inputs, { code: 'no_input' })
  t.equal(await openFiles(), before)
})

t.test('a special file like /dev/null is empty input', async t => {
  t.equal(await contents((await open(['/dev/null']))[0]!), '')
})
