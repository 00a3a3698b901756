/** Resolves file names, globs and `-` (standard input) to sources. */

import { stat } from 'node:fs/promises'
import { createReadStream, fstatSync, type Stats } from 'node:fs'
import { isAbsolute } from 'node:path'
import { IngestError } from '../errors.js'
import { chunkReader, type ByteReader, reportReads, type ReadProgress } from './byte-reader.js'
import { decompress } from './decompress.js'
import { copyingSource, spool } from './spool.js'
import { fileSource, unreadableError, type Source } from './source.js'

export type InputOptions = {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  /**
   * Whether sources will be read more than once. An input that can be read only once is then copied to a temporary file.
   * `maybe` copies it during the first reading, so that the first reading need not wait for the end of the input.
   */
  readonly rereadable: boolean | 'maybe'
  /** Allows files to grow while they are read. */
  readonly mayGrow?: boolean
  readonly signal?: AbortSignal
  readonly watch?: ReadProgress | undefined
}

/**
 * Opens the sources in the order in which they were named. The matches of a glob are sorted by name, and each file is
 * opened once.
 */
export async function openInputs(patterns: readonly string[], options: InputOptions): Promise<readonly Source[]> {
  const names = patterns.length > 0 ? patterns : [defaultInput(options)]
  const paths: string[] = []
  for (const name of names) paths.push(...(await expand(name)))
  const sources: Source[] = []
  try {
    for (const path of new Set(paths)) sources.push(await openSource(path, options))
    return sources
  } catch (error) {
    await releaseSources(sources)
    throw error
  }
}

export type OpenSources = {
  readonly sources: readonly Source[]
  /** Releases the sources that were opened by name. The caller of `openSources` releases its own. */
  readonly release: () => Promise<void>
}

/**
 * Opens the files that are given by name, and passes sources through.
 * @param files file names, globs, `-` for standard input, or sources. When empty, standard input is read
 */
export async function openSources(
  files: readonly (string | Source)[],
  options: Omit<InputOptions, 'stdin'> & Partial<Pick<InputOptions, 'stdin'>>,
): Promise<OpenSources> {
  const names = files.filter(file => typeof file === 'string')
  const given = files.filter(file => typeof file !== 'string')
  const isAllGiven = names.length === 0 && given.length > 0
  const opened = isAllGiven ? [] : await openInputs(names, { stdin: process.stdin, ...options })
  return { sources: [...given, ...opened], release: () => releaseSources(opened) }
}

export async function releaseSources(sources: readonly Source[]): Promise<void> {
  for (const source of sources) await source.release()
}

function defaultInput({ stdin }: InputOptions): string {
  const hint = 'name a file, or pipe records in'
  if (stdin.isTTY === true) throw new IngestError('usage', 'no input', { hint })
  // A CI job without input has /dev/null as its standard input. An intentionally empty input is given as a name or as
  // `-`.
  if (stdinInfo(stdin)?.isCharacterDevice() === true) throw new IngestError('no_input', 'no input', { hint })
  return '-'
}

/** Characters that make a name a glob. A name without them is always a file name. */
const GLOB = /[*?[\]{}()!]/

async function expand(name: string): Promise<readonly string[]> {
  if (name === '-' || !GLOB.test(name) || (await exists(name))) return [name]
  // Loaded on demand, because most pushes name their files.
  const { glob } = await import('tinyglobby')
  const found = await glob(name, { absolute: isAbsolute(name), dot: true, expandDirectories: false, onlyFiles: true })
  if (found.length === 0) throw new IngestError('no_input', `${name}: no file matches`, { hint: 'check the pattern' })
  return found.sort()
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

async function openSource(path: string, options: InputOptions): Promise<Source> {
  if (path === '-') {
    assertReadableStdin(options.stdin)
    return onceReadableSource('-', () => options.stdin, options)
  }
  const info = await stat(path).catch((error: unknown) => {
    throw unreadableError(path, error)
  })
  if (info.isDirectory()) {
    const hint = `name its files: '${path.replace(/\/$/, '')}/*.jsonl'`
    throw new IngestError('no_input', `${path} is a directory`, { hint })
  }
  if (!info.isFile()) return onceReadableSource(path, () => createReadStream(path), options)
  options.watch?.expect(path, info.size)
  return fileSource(path, { mayGrow: options.mayGrow, watch: options.watch })
}

/** File information of standard input; undefined for any other stream. */
function stdinInfo(stdin: InputOptions['stdin']): Stats | undefined {
  const { fd } = stdin as { readonly fd?: number }
  return fd === 0 ? fstatSync(fd) : undefined
}

/**
 * Refuses directories and devices as standard input. Node presents those as an empty stream, so they would look like
 * empty input.
 */
function assertReadableStdin(stdin: InputOptions['stdin']): void {
  const info = stdinInfo(stdin)
  if (info?.isDirectory() === true || info?.isBlockDevice() === true)
    throw new IngestError('no_input', '- is a directory or a device', { hint: 'pipe records in, or name files' })
}

/**
 * A source for an input that can be read only once. The input is not opened before it is read, because opening a pipe
 * may block.
 */
async function onceReadableSource(
  name: string,
  input: () => NodeJS.ReadableStream,
  options: InputOptions,
): Promise<Source> {
  const { watch } = options
  watch?.expect(name, undefined)
  if (options.rereadable === true) return spool(name, input(), options)
  const chunks = readable(name, input)
  if (options.rereadable === 'maybe') return copyingSource(name, chunks, watch)
  const bytes = (): ByteReader => chunkReader(chunks, () => Promise.resolve())
  return {
    name,
    open: () => decompress(reportReads(bytes(), name, watch), name),
    assertUnchanged: () => Promise.resolve(),
    stat: () => Promise.resolve(''),
    release: () => Promise.resolve(),
  }
}

async function* readable(name: string, input: () => NodeJS.ReadableStream): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of input()) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
  } catch (cause) {
    throw unreadableError(name, cause)
  }
}
