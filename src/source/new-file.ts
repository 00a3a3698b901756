/** Files that appear complete or not at all, and never replace another file. */

import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { copyFile, link, open, unlink, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { IngestError, messageOf, systemCodeOf } from '../errors.js'
import { isSameFile } from './same-file.js'

const READ_BYTES = 256 * 1024

/** The content of a new file, complete and synced under a temporary name in the folder of the file. */
export type StagedFile = {
  readonly path: string
  readonly temporary: string
}

/** @throws {IngestError} `config_invalid` when the file cannot be created, `storage_failed` when it cannot be written to its end */
export async function stageFile(
  path: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<StagedFile> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
  const file = await open(temporary, 'wx').catch((cause: unknown) => {
    const hint = 'name a file in a folder that is there and that you may write to'
    throw new IngestError('config_invalid', `cannot write ${path}: ${messageOf(cause)}`, { cause, hint })
  })
  try {
    for await (const chunk of chunks) await file.writeFile(chunk)
    await file.sync()
    return { path, temporary }
  } catch (cause) {
    await unlink(temporary).catch(() => undefined)
    if (cause instanceof IngestError || systemCodeOf(cause) === undefined) throw cause
    throw failedError(path, cause)
  } finally {
    await file.close()
  }
}

/** Deletes the temporary name. The published file, if there is one, stays. */
export async function discardStaged({ temporary }: StagedFile): Promise<void> {
  await unlink(temporary).catch(() => undefined)
}

/**
 * Gives a staged file its name and syncs the folder. A file with the same content may be there already, as after a crash.
 * @throws {IngestError} `already_exists` when the file holds something else
 */
export async function publishStaged({ path, temporary }: StagedFile): Promise<void> {
  try {
    await linkOrCopy(temporary, path)
  } catch (cause) {
    if (systemCodeOf(cause) !== 'EEXIST') throw failedError(path, cause)
    await assertNewOrSame({ path, temporary })
  }
  await syncDirectory(dirname(path))
}

/** @throws {IngestError} `already_exists` when a file of this name holds something else */
export async function assertNewOrSame({ path, temporary }: StagedFile): Promise<void> {
  const found = await openIfThere(path)
  if (found === undefined) return
  const staged = await open(temporary)
  try {
    if (await haveSameContent(found, staged)) return
  } finally {
    await Promise.all([found.close(), staged.close()])
  }
  const hint = `push ${path} after repairing it, then move it away; or name another file`
  throw new IngestError('already_exists', `${path} exists and holds other lines, which are not replaced`, { hint })
}

/** @throws {IngestError} `usage` when a file to write is one of the files that are read */
export function assertNotRead(outputs: readonly string[], inputs: readonly string[]): void {
  for (const output of outputs)
    for (const input of inputs) {
      if (!isSameFile(output, input)) continue
      const hint = 'name another file, which the patterns of the inputs do not match'
      throw new IngestError('usage', `${output} is an input, so nothing is written to it`, { hint })
    }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    // Opening a named pipe would otherwise wait for its writer.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (cause) {
    if (systemCodeOf(cause) === 'ENOENT') return undefined
    throw failedError(path, cause)
  }
}

async function haveSameContent(one: FileHandle, other: FileHandle): Promise<boolean> {
  const [info, { size }] = await Promise.all([one.stat(), other.stat()])
  if (!info.isFile() || info.size !== size) return false
  const buffers = [Buffer.alloc(READ_BYTES), Buffer.alloc(READ_BYTES)] as const
  for (let at = 0; at < size; at += READ_BYTES) {
    await Promise.all([one.read(buffers[0], 0, READ_BYTES, at), other.read(buffers[1], 0, READ_BYTES, at)])
    if (!buffers[0].equals(buffers[1])) return false
  }
  return true
}

/**
 * Links the file to its name, which fails when the name is taken. Where a file system has no links the file is copied, and a crash
 * may leave a part of it, which the next command refuses as other content.
 */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK'].includes(systemCodeOf(error) ?? '')) throw error
    await copyFile(from, to, constants.COPYFILE_EXCL)
  }
}

/** Makes the names in a folder durable. Some file systems do not support this. */
async function syncDirectory(path: string): Promise<void> {
  const folder = await open(path)
  try {
    await folder.sync().catch(() => undefined)
  } finally {
    await folder.close()
  }
}

function failedError(path: string, cause: unknown): IngestError {
  const hint = 'free space on its disk, or name a file on another one'
  return new IngestError('storage_failed', `cannot write ${path}: ${messageOf(cause)}`, { cause, hint })
}
