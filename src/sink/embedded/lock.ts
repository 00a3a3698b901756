/** Lets one process at a time into a folder; the system itself drops the lock when the process ends, also on kill -9. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { IngestError } from '../../errors.js'
import { takeFileLock } from './lock-file.js'
import { takeSocketLock } from './lock-socket.js'

export type FolderLock = { readonly release: () => Promise<void> }

/** What a platform has for it: answers with what releases the lock, or undefined when somebody else has it. */
type Take = (dir: string) => Promise<FolderLock['release'] | undefined>

const TAKE: Partial<Record<NodeJS.Platform, Take>> = {
  linux: takeSocketLock,
  darwin: takeLockFile,
  freebsd: takeLockFile,
  openbsd: takeLockFile,
  netbsd: takeLockFile,
}

/**
 * Locks an existing folder for this process; any path to the folder is the same lock, in this process too.
 * The lock does not keep the process alive.
 * @throws {IngestError} `target_busy`, naming the process that has it; `target_misconfigured` on a platform without
 * such locks; a system error when the folder cannot be written
 */
export async function lockFolder(dir: string): Promise<FolderLock> {
  const take = TAKE[process.platform]
  if (!take) throw unsupported()
  const release = await take(dir)
  if (!release) throw await busy(dir)
  try {
    await writeFile(ownerFile(dir), `process ${process.pid} (since ${new Date().toISOString()})\n`)
  } catch (error) {
    await release()
    throw error
  }
  return { release }
}

/** Says who has the lock, and on BSD and macOS is what is locked. It stays when the lock goes. */
function ownerFile(dir: string): string {
  return join(dir, 'db.lock')
}

async function takeLockFile(dir: string): Promise<FolderLock['release'] | undefined> {
  return takeFileLock(ownerFile(dir))
}

async function busy(dir: string): Promise<IngestError> {
  const owner = (await readFile(ownerFile(dir), 'utf8').catch(() => '')).trim()
  // A holder that has not written its file yet is still a holder.
  const who = /^process \d+ \(since \S+\)$/.test(owner) ? owner : 'another process'
  return new IngestError('target_busy', `the embedded database in ${dir} is in use by ${who}`, {
    hint: 'wait for it to finish, or use another folder',
  })
}

function unsupported(): IngestError {
  return new IngestError('target_misconfigured', `the embedded database does not work on ${process.platform}`, {
    hint: 'it needs Linux, macOS or BSD to keep two processes from writing it at once; use --postgres or --server',
  })
}
