/** Lets one process at a time into a folder; the system itself drops the lock when the process ends, also on kill -9. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { IngestError } from '../../errors.js'
import { isFileLocked, takeFileLock } from './lock-file.js'
import { isSocketLocked, takeSocketLock } from './lock-socket.js'

export type FolderLock = { readonly release: () => Promise<void> }

/** What a platform has for it. */
type Locking = {
  /** Answers with what releases the lock, or undefined when somebody else has it. */
  readonly take: (dir: string) => Promise<FolderLock['release'] | undefined>
  /** Whether somebody has it; writes nothing. */
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
 * Locks an existing folder for this process; any path to the folder is the same lock, in this process too.
 * The lock does not keep the process alive.
 * @throws {IngestError} `target_busy`, naming the process that has it; `target_misconfigured` on a platform without
 * such locks; a system error when the folder cannot be written
 */
export async function lockFolder(dir: string): Promise<FolderLock> {
  const release = await locking().take(dir)
  if (!release) throw await busy(dir)
  try {
    await writeFile(ownerFile(dir), `process ${process.pid} (since ${new Date().toISOString()})\n`)
  } catch (error) {
    await release()
    throw error
  }
  return { release }
}

/**
 * Looks at the lock of an existing folder and takes nothing.
 * @throws {IngestError} `target_busy`, naming the process that has it; `target_misconfigured` on a platform without
 * such locks; a system error when the folder cannot be read
 */
export async function assertUnlocked(dir: string): Promise<void> {
  if (await locking().isHeld(dir)) throw await busy(dir)
}

/** @throws {IngestError} `target_misconfigured` on a platform without such locks */
export function assertLockable(): void {
  locking()
}

function locking(): Locking {
  const found = LOCKING[process.platform]
  if (!found) throw unsupported()
  return found
}

/** Says who has the lock, and on BSD and macOS is what is locked. It stays when the lock goes. */
function ownerFile(dir: string): string {
  return join(dir, 'db.lock')
}

async function busy(dir: string): Promise<IngestError> {
  const owner = (await readFile(ownerFile(dir), 'utf8').catch(() => '')).trim()
  // A holder that has not written its file yet is still a holder.
  const who = /^process \d+ \(since \S+\)$/.test(owner) ? owner : 'another process'
  return new IngestError('target_busy', `the embedded database in ${dir} is in use by ${who}`, {
    hint: 'wait for it to finish, or use another folder; a `serve` is stopped, or pushed to with --server',
  })
}

function unsupported(): IngestError {
  return new IngestError('target_misconfigured', `the embedded database does not work on ${process.platform}`, {
    hint: 'it needs Linux, macOS or BSD to keep two processes from writing it at once; use --postgres or --server',
  })
}
