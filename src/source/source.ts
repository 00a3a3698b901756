/** A source of records, which can be read from its start and checked for changes. */

import type { Stats } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
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
   * The file's metadata as text. An equal text later means that the file was not written to. Empty when that cannot be
   * determined.
   */
  stat(): Promise<string>
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
    if (!(mayGrow ? sameOrGrown : sameFile)(first, now)) throw changed(path)
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
    stat: () => readMetadata(path),
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
  return a.ino === b.ino && a.dev === b.dev && a.size === b.size && a.mtimeMs === b.mtimeMs
}

function sameOrGrown(a: Stats, b: Stats): boolean {
  return a.ino === b.ino && a.dev === b.dev && b.size >= a.size
}

/**
 * File timestamps have a limited resolution, so a second write soon after the first may not change them. Timestamps
 * younger than this
 * are therefore not trusted.
 */
const FRESH_MS = 2_000

async function readMetadata(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
    const age = Date.now() - Number(ctimeNs / 1_000_000n)
    return age < FRESH_MS ? '' : [dev, ino, size, mtimeNs, ctimeNs].join(':')
  } catch (error) {
    throw unreadableError(path, error)
  }
}

function changed(path: string): IngestError {
  const hint = 'nothing was kept; push it again when its writer is done'
  return new IngestError('input_changed', `${path} changed while it was being read`, { hint })
}
