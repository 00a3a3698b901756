/**
 * What only reads or changes names, or a few bytes, done at once: the way to another thread and back takes several times as
 * long as such a call, and a push with state makes two hundred. What waits for the disk goes that way.
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
/** To be written; one that is there already is refused. */
export const create = asPromise((path: string) => openSync(path, 'wx'))
/** To be synced. */
export const openFolder = asPromise((path: string) => openSync(path, constants.O_RDONLY | constants.O_DIRECTORY))
export const close = asPromise(closeSync)

/** To the disk. @param fd an open file or folder */
export const syncToDisk = promisify(fsync)

const MAX_BLOCKING_BYTES = 64 * 1024
const writeInThread: (fd: number, body: Buffer) => Promise<void> = promisify(writeFile)
const readInThread: (fd: number) => Promise<Buffer> = promisify(readFile)

/** @param fd an open file */
export async function write(fd: number, body: Buffer): Promise<void> {
  return body.length <= MAX_BLOCKING_BYTES ? writeFileSync(fd, body) : writeInThread(fd, body)
}

/** @param bytes how many it should have */
export async function read(path: string, bytes: number): Promise<Buffer> {
  // A FIFO in its place would be waited for, with the program deaf to Ctrl-C.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    return bytes <= MAX_BLOCKING_BYTES ? readFileSync(file) : await readInThread(file)
  } finally {
    closeSync(file)
  }
}

/** Fails as a promise does: whoever calls need not know. */
function asPromise<Args extends readonly unknown[], Result>(
  call: (...args: Args) => Result,
): (...args: Args) => Promise<Result> {
  return async (...args) => call(...args)
}
