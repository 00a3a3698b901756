/** Locks a folder for one process at a time. The system releases the lock when the process ends, also after kill -9. */

import { closeSync, constants, openSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { IngestError, systemCodeOf } from '../../errors.js'
import { isSocketLocked, takeSocketLock } from './lock-socket.js'

export type FolderLock = { readonly release: () => Promise<void> }

/** The lock implementation of a platform. */
type Locking = {
  /** Acquires the lock. Resolves to a function that releases it, or to undefined when another process holds it. */
  readonly take: (dir: string) => Promise<FolderLock['release'] | undefined>
  /** Whether the lock is held. Writes nothing. */
  readonly isHeld: (dir: string) => Promise<boolean>
}

const SOCKETS: Locking = { take: takeSocketLock, isHeld: isSocketLocked }
const FILES: Locking = { take: dir => takeFileLock(ownerFile(dir)), isHeld: dir => isFileLocked(ownerFile(dir)) }

const LOCKING: Partial<Record<NodeJS.Platform, Locking>> = {
  linux: SOCKETS,
  darwin: FILES,
  freebsd: FILES,
  openbsd: FILES,
  netbsd: FILES,
}

/**
 * Locks an existing folder for this process. All paths to the folder share one lock, which also excludes a second lock in this
 * process. The lock does not keep the process alive.
 * @throws {IngestError} `target_busy`, naming the process that holds the lock; `target_misconfigured` on a platform without
 * such locks. A system error is thrown unchanged when the folder is not writable
 */
export async function lockFolder(dir: string): Promise<FolderLock> {
  const release = await platformLocking().take(dir)
  if (!release) throw await busyError(dir)
  try {
    await writeFile(ownerFile(dir), `process ${process.pid} (since ${new Date().toISOString()})\n`)
  } catch (error) {
    await release()
    throw error
  }
  return { release }
}

/**
 * Checks that an existing folder is not locked, without locking it.
 * @throws {IngestError} `target_busy`, naming the process that holds the lock; `target_misconfigured` on a platform without
 * such locks. A system error is thrown unchanged when the folder is not readable
 */
export async function assertUnlocked(dir: string): Promise<void> {
  if (await platformLocking().isHeld(dir)) throw await busyError(dir)
}

/** Checks that this platform has folder locks. @throws {IngestError} `target_misconfigured` otherwise */
export function assertLockable(): void {
  platformLocking()
}

function platformLocking(): Locking {
  const found = LOCKING[process.platform]
  if (!found) throw unsupportedPlatform()
  return found
}

/**
 * The file that names the lock's holder. On BSD and macOS it is also the locked file. It remains after the lock is released.
 */
function ownerFile(dir: string): string {
  return join(dir, 'db.lock')
}

async function busyError(dir: string): Promise<IngestError> {
  const owner = (await readFile(ownerFile(dir), 'utf8').catch(() => '')).trim()
  // The holder may not have written the file yet.
  const who = /^process \d+ \(since \S+\)$/.test(owner) ? owner : 'another process'
  return new IngestError('target_busy', `the embedded database in ${dir} is in use by ${who}`, {
    hint: 'wait for it to finish, or use another folder; if it is `serve`, stop it or push to it with --server',
  })
}

function unsupportedPlatform(): IngestError {
  return new IngestError('target_misconfigured', `the embedded database does not work on ${process.platform}`, {
    hint: 'it needs Linux, macOS or BSD to keep two processes from writing it at once; use --postgres or --server',
  })
}

/** Flags of open(2) that acquire an flock. They have the same values on macOS and BSD, and Node has no constants for them. */
const O_NONBLOCK = 0x4
const O_SHLOCK = 0x10
const O_EXLOCK = 0x20

/**
 * Opens `path`, creating it if it is missing, and locks it. The lock belongs to the open file, so it also excludes other opens
 * in this process, and it ends with the process.
 * @returns a function that releases the lock; undefined when the file is already locked
 */
async function takeFileLock(path: string): Promise<(() => Promise<void>) | undefined> {
  try {
    // A plain descriptor, because a FileHandle closes the file, and so releases the lock, when it is garbage collected.
    const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | O_EXLOCK | O_NONBLOCK)
    return async () => closeSync(fd)
  } catch (error) {
    if (systemCodeOf(error) === 'EAGAIN') return undefined
    throw error
  }
}

/** Whether `path` is locked. The check acquires a shared lock for a moment. */
async function isFileLocked(path: string): Promise<boolean> {
  try {
    closeSync(openSync(path, constants.O_RDONLY | O_SHLOCK | O_NONBLOCK))
    return false
  } catch (error) {
    const code = systemCodeOf(error)
    if (code === 'EAGAIN') return true
    if (code === 'ENOENT') return false
    throw error
  }
}
