/**
 * Copies an input that can be read only once (standard input, a pipe) to a temporary file, so that it can be read
 * again.
 */

import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { IngestError, messageOf } from '../errors.js'
import { fileReader, type ByteReader } from './byte-reader.js'
import { decompressed } from './decompress.js'
import { watched, type ReadWatch } from './read-watch.js'
import { unreadable, type Source } from './source.js'

export type SpoolOptions = { readonly signal?: AbortSignal | undefined; readonly watch?: ReadWatch | undefined }

/**
 * Copies the whole input and returns the copy as a source.
 * @throws {IngestError} `no_input` or `input_unreadable` when the input cannot be read or copied
 */
export async function spool(
  name: string,
  input: NodeJS.ReadableStream,
  { signal, watch }: SpoolOptions = {},
): Promise<Source> {
  // A failure of the input is reported by the pipeline; until then it must not count as unhandled.
  input.on('error', () => undefined)
  const file = await namelessFile().catch((cause: unknown) => {
    throw cannotKeep(name, cause)
  })
  try {
    // A write stream is not used, because it keeps the handle open and `close()` would wait forever.
    const read = watch?.begin(name)
    const keep = async (chunks: AsyncIterable<string | Uint8Array>): Promise<void> => {
      for await (const chunk of chunks) {
        await file.writeFile(chunk)
        read?.(chunk.length)
      }
    }
    await pipeline(input, keep, signal === undefined ? {} : { signal })
  } catch (cause) {
    await file.close()
    if (signal?.aborted === true) throw signal.reason as Error
    throw (input as Readable).errored === cause ? unreadable(name, cause) : cannotKeep(name, cause)
  }
  watch?.expect(name, (await file.stat()).size)
  const bytes = (): ByteReader => fileReader(file, () => Promise.resolve())
  return {
    name,
    open: () => decompressed(watched(bytes(), name, watch), name),
    assertUnchanged: () => Promise.resolve(),
    stat: () => Promise.resolve(''),
    release: () => file.close(),
  }
}

/**
 * Opens a temporary file and deletes its name, so that the system frees the file when the process ends for any reason.
 */
export async function namelessFile(): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), 'vortex-ingest-'))
  try {
    return await open(join(folder, 'input'), 'wx+', 0o600)
  } finally {
    await rm(folder, { recursive: true })
  }
}

export function cannotKeep(name: string, cause: unknown): IngestError {
  const hint = 'set TMPDIR to a folder with room'
  return new IngestError('input_unreadable', `${name}: cannot keep the input in ${tmpdir()}: ${messageOf(cause)}`, {
    cause,
    hint,
  })
}
