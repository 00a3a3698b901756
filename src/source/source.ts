/** A source of records, which can be read from its start and checked for changes. */

import type { BigIntStats, Stats } from 'node:fs'
import { open, stat, statfs, type FileHandle } from 'node:fs/promises'
import { IngestError, messageOf, systemCodeOf } from '../errors.js'
import { fileReader, type ByteReader, reportReads, type ReadProgress } from './byte-reader.js'
import { decompress } from './decompress.js'

export interface Source {
  /** As the user wrote it, or `-` for standard input. */
  readonly name: string
  /**
   * Opens the source for reading decompressed bytes from the start.
   * @throws {IngestError} `input_changed` when the source has changed since it was first opened
   */
  open(): Promise<ByteReader>
  /**
   * Checks that the source has not changed since it was first opened.
   * @throws {IngestError} `input_changed` when it has
   */
  assertUnchanged(): Promise<void>
  /**
   * The file's metadata as text. Empty for other sources than files.
   * @param options `flush` first writes earlier changes to disk. Call it so before reading the bytes that the text stands
   * for. An equal text later means that the file was not written to since. Empty when a later change might not show
   */
  stat(options?: { readonly flush: boolean }): Promise<string>
  /** XXH64 of all bytes, in 16 hexadecimal digits, once the source was read to its end. Undefined where nobody computes it. */
  readonly fingerprint?: (() => string | undefined) | undefined
  /** Releases the resources of the source, which cannot be opened again after that. */
  release(): Promise<void>
}

export type FileOptions = {
  /** Allows the file to grow while it is read. */
  readonly mayGrow?: boolean | undefined
  readonly watch?: ReadProgress | undefined
}

/** A regular file, which is opened again for each pass. */
export function fileSource(path: string, { mayGrow = false, watch }: FileOptions = {}): Source {
  let first: Stats | undefined
  const check = async (file: FileHandle): Promise<void> => {
    const now = await file.stat()
    first ??= now
    if (!(mayGrow ? sameOrGrown : sameFile)(first, now)) throw inputChangedError(path)
  }
  return {
    name: path,
    async open() {
      const file = await openFile(path)
      try {
        await check(file)
        const reader = fileReader(file, () => file.close())
        return await decompress(reportReads(orUnreadable(path, reader), path, watch), path)
      } catch (error) {
        await file.close()
        throw error
      }
    },
    async assertUnchanged() {
      const file = await openFile(path)
      await check(file).finally(() => file.close())
    },
    stat: ({ flush } = { flush: false }) => (flush ? readFlushedMetadata(path) : readMetadata(path)),
    release: () => Promise.resolve(),
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path)
  } catch (error) {
    throw unreadableError(path, error)
  }
}

/** Converts system errors while reading into `input_unreadable`, because a disk may fail in the middle of a file. */
function orUnreadable(path: string, reader: ByteReader): ByteReader {
  return {
    async read(into, offset) {
      try {
        return await reader.read(into, offset)
      } catch (error) {
        throw unreadableError(path, error)
      }
    },
    close: () => reader.close(),
  }
}

export function unreadableError(path: string, cause: unknown): IngestError {
  const code = systemCodeOf(cause)
  if (path === '') return new IngestError('no_input', 'an input has no name', { cause, hint: 'see what is quoted' })
  if (code === 'ENOENT') {
    return new IngestError('no_input', `${path}: no such file`, { cause, hint: 'check the name, or quote a glob' })
  }
  if (code === 'EISDIR') return new IngestError('no_input', `${path} is a directory`, { cause })
  if (code === 'EACCES' || code === 'EPERM')
    return new IngestError('input_unreadable', `${path}: permission denied`, {
      cause,
      hint: 'check who may read the file',
    })
  return new IngestError('input_unreadable', `${path}: ${messageOf(cause)}`, { cause })
}

function sameFile(a: Stats, b: Stats): boolean {
  return sameOrGrown(a, b) && a.size === b.size && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs
}

function sameOrGrown(a: Stats, b: Stats): boolean {
  return a.ino === b.ino && a.dev === b.dev && b.size >= a.size
}

/**
 * File timestamps have a limited resolution, so a second write soon after the first may not change them. Timestamps
 * younger than this are therefore not trusted.
 */
const FRESH_MS = 2_000

/**
 * File systems of Linux on which the first write through a shared mapping after a flush changes the file's times: ext2
 * to ext4, XFS, Btrfs, F2FS, ZFS and overlayfs. On tmpfs such a write never changes them.
 */
const TIMED_FILE_SYSTEMS = [0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0x794c7630]

async function readMetadata(path: string): Promise<string> {
  try {
    return metadataText(await stat(path, { bigint: true }))
  } catch (error) {
    throw unreadableError(path, error)
  }
}

async function readFlushedMetadata(path: string): Promise<string> {
  const trustedBefore = BigInt(Date.now() - FRESH_MS) * 1_000_000n
  const file = await openFile(path)
  try {
    const before = await file.stat({ bigint: true })
    if (before.ctimeNs >= trustedBefore || !(await hasTimedFileSystem(path))) return ''
    // Write-protects the pages of shared mappings. While a page is dirty, further writes to it would not show.
    await file.datasync()
    const { ctimeNs, ...others } = await file.stat({ bigint: true })
    return ctimeNs >= trustedBefore ? '' : metadataText({ ctimeNs, ...others })
  } catch {
    return ''
  } finally {
    await file.close()
  }
}

async function hasTimedFileSystem(path: string): Promise<boolean> {
  return process.platform === 'linux' && TIMED_FILE_SYSTEMS.includes((await statfs(path)).type)
}

/** Version of the text. Texts in older states have no version, because they were taken without a flush. */
const TEXT_VERSION = 2

type Metadata = Pick<BigIntStats, 'dev' | 'ino' | 'size' | 'mtimeNs' | 'ctimeNs'>

function metadataText({ dev, ino, size, mtimeNs, ctimeNs }: Metadata): string {
  return [`v${TEXT_VERSION}`, dev, ino, size, mtimeNs, ctimeNs].join(':')
}

export function inputChangedError(name: string): IngestError {
  const hint = 'push it again after its writer has finished; with a state, a file may only grow during a push'
  return new IngestError('input_changed', `${name} changed while it was being read`, { hint })
}
