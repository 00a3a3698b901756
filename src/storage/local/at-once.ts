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

export const mkdir = atOnce((path: string) => mkdirSync(path))
export const readdir = atOnce((path: string) => readdirSync(path))
export const rename = atOnce(renameSync)
export const rmdir = atOnce((path: string) => rmdirSync(path))
export const stat = atOnce((path: string) => statSync(path))
export const unlink = atOnce(unlinkSync)
/** To be written; one that is there already is refused. */
export const create = atOnce((path: string) => openSync(path, 'wx'))
/** To be synced. */
export const openFolder = atOnce((path: string) => openSync(path, constants.O_RDONLY | constants.O_DIRECTORY))
export const close = atOnce(closeSync)

/** To the disk. @param fd an open file or folder */
export const sync = promisify(fsync)

const FEW_BYTES = 64 * 1024
const writeMuch: (fd: number, body: Buffer) => Promise<void> = promisify(writeFile)
const readMuch: (fd: number) => Promise<Buffer> = promisify(readFile)

/** @param fd an open file */
export async function write(fd: number, body: Buffer): Promise<void> {
  return body.length <= FEW_BYTES ? writeFileSync(fd, body) : writeMuch(fd, body)
}

/** @param bytes how many it should have */
export async function read(path: string, bytes: number): Promise<Buffer> {
  // A FIFO in its place would be waited for, with the program deaf to Ctrl-C.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    return bytes <= FEW_BYTES ? readFileSync(file) : await readMuch(file)
  } finally {
    closeSync(file)
  }
}

/** Fails as a promise does: whoever calls need not know. */
function atOnce<Args extends readonly unknown[], Result>(
  call: (...args: Args) => Result,
): (...args: Args) => Promise<Result> {
  return async (...args) => call(...args)
}
