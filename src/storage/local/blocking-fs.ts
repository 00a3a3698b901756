/**
 * File-system calls behind promises. Calls that only touch names or a few bytes run synchronously, because a round trip
 * to the thread pool takes several times as long and a push with state makes about two hundred of them. Calls that wait
 * for the disk run in the thread pool.
 */

import {
  closeSync,
  constants,
  fsync,
  mkdirSync,
  openSync,
  readdirSync,
  readFile,
  readFileSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFile,
  writeFileSync,
} from 'node:fs'
import { promisify } from 'node:util'

export const mkdir = asPromise((path: string) => mkdirSync(path))
export const readdir = asPromise((path: string) => readdirSync(path))
export const rename = asPromise(renameSync)
export const rmdir = asPromise((path: string) => rmdirSync(path))
export const stat = asPromise((path: string) => statSync(path))
export const unlink = asPromise(unlinkSync)
/** Opens a new file for writing. Fails with EEXIST when the file exists. */
export const create = asPromise((path: string) => openSync(path, 'wx'))
/** Opens a folder for `syncToDisk`. */
export const openFolder = asPromise((path: string) => openSync(path, constants.O_RDONLY | constants.O_DIRECTORY))
export const close = asPromise(closeSync)

/** Flushes an open file or folder to the disk. */
export const syncToDisk = promisify(fsync)

const MAX_BLOCKING_BYTES = 64 * 1024
const writeInThread: (fd: number, body: Buffer) => Promise<void> = promisify(writeFile)
const readInThread: (fd: number) => Promise<Buffer> = promisify(readFile)

/** Writes a body to an open file. */
export async function write(fd: number, body: Buffer): Promise<void> {
  return body.length <= MAX_BLOCKING_BYTES ? writeFileSync(fd, body) : writeInThread(fd, body)
}

/** Reads a file. @param bytes its expected size, which selects a synchronous or threaded read */
export async function read(path: string, bytes: number): Promise<Buffer> {
  // Non-blocking, because opening a FIFO would block the event loop and Ctrl-C with it.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    return bytes <= MAX_BLOCKING_BYTES ? readFileSync(file) : await readInThread(file)
  } finally {
    closeSync(file)
  }
}

/** Wraps a synchronous call so that it returns or rejects a promise. */
function asPromise<Args extends readonly unknown[], Result>(
  call: (...args: Args) => Result,
): (...args: Args) => Promise<Result> {
  return async (...args) => call(...args)
}
