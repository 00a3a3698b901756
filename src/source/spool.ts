/** Keeps what can be read only once (standard input, a pipe) in a temporary file, so that it can be read again. */

import { createWriteStream } from 'node:fs'
import { mkdtemp, open, rm, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { IngestError, messageOf } from '../errors.js'
import { fileReader } from './byte-reader.js'
import { decompressed } from './decompress.js'
import type { Source } from './source.js'

/** The file has no name once it is open: the system frees it when the process ends, however it ends. */
export async function spool(name: string, input: NodeJS.ReadableStream, signal?: AbortSignal): Promise<Source> {
  const folder = await mkdtemp(join(tmpdir(), 'vortex-ingest-'))
  const path = join(folder, 'input')
  const file = await open(path, 'wx+', 0o600)
  await unlink(path)
  await rm(folder, { recursive: true })
  try {
    const output = createWriteStream('', { fd: file, autoClose: false, emitClose: false })
    await pipeline(input, output, signal === undefined ? {} : { signal })
  } catch (cause) {
    await file.close()
    if (signal?.aborted === true) throw signal.reason as Error
    throw new IngestError('input_unreadable', `${name}: cannot keep the input in ${tmpdir()}: ${messageOf(cause)}`, { cause })
  }
  return {
    name,
    open: () => decompressed(fileReader(file, () => Promise.resolve()), name),
    assertUnchanged: () => Promise.resolve(),
    release: () => file.close(),
  }
}
