/**
 * Locks a folder for one process at a time, by flock(2) on a file in it. The kernel keeps the lock, so it holds across
 * namespaces, containers and mounts. A stopped process keeps its lock. When a process ends, even by kill -9, the lock ends.
 * @see docs/adr/0022-embedded-lock.md
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, ftruncateSync, openSync, writeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { IngestError, messageOf, systemCodeOf } from '../../errors.js'

export type FolderLock = { readonly release: () => Promise<void> }

/** `exclusive` excludes every other lock. `shared` excludes exclusive locks only. */
type LockMode = 'exclusive' | 'shared'

/**
 * Opens a file with the given flags and locks it without waiting. The lock belongs to the open file, so it also excludes other
 * opens in this process, and it ends when the file is closed.
 * @returns the file's descriptor; undefined when another open file has a lock that excludes this one
 */
type OpenLocked = (path: string, flags: number, mode: LockMode) => Promise<number | undefined>

const PLATFORMS: Partial<Record<NodeJS.Platform, OpenLocked>> = {
  linux: openThenLock,
  darwin: openWithLock,
  freebsd: openWithLock,
  openbsd: openWithLock,
  netbsd: openWithLock,
}

/**
 * Locks an existing folder for this process. All paths to the folder share one lock, which also excludes a second lock in this
 * process. The lock does not keep the process alive.
 * @throws {IngestError} `target_busy`, naming the process that holds the lock; `target_misconfigured` on a platform or file
 * system without such locks. A system error is thrown unchanged when the folder is not writable
 */
export async function lockFolder(dir: string): Promise<FolderLock> {
  const fd = await openExclusive(lockFile(dir))
  if (fd === undefined) throw await busyError(dir)
  try {
    ftruncateSync(fd)
    writeSync(fd, `process ${process.pid} (since ${new Date().toISOString()})\n`, 0)
  } catch (error) {
    closeSync(fd)
    throw error
  }
  return { release: async () => closeSync(fd) }
}

/** Pauses before the next attempt to lock a folder, in milliseconds. */
const RETRY_DELAYS_MS = [20, 60, 180]

/** Tries again for a quarter of a second, because `assertUnlocked` of another process holds a shared lock for a moment. */
async function openExclusive(path: string): Promise<number | undefined> {
  const lock = platformLock()
  const open = (): Promise<number | undefined> => lock(path, constants.O_RDWR | constants.O_CREAT, 'exclusive')
  let fd = await open()
  for (const delayMs of RETRY_DELAYS_MS) {
    if (fd !== undefined) break
    await setTimeout(delayMs)
    fd = await open()
  }
  return fd
}

/**
 * Checks that an existing folder is not locked. Writes nothing, but takes a shared lock briefly.
 * @throws {IngestError} `target_busy`, naming the process that holds the lock; `target_misconfigured` on a platform or file
 * system without such locks. A system error is thrown unchanged when the folder is not readable
 */
export async function assertUnlocked(dir: string): Promise<void> {
  try {
    const fd = await platformLock()(lockFile(dir), constants.O_RDONLY, 'shared')
    if (fd === undefined) throw await busyError(dir)
    closeSync(fd)
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw error
  }
}

/** Checks that folders can be locked on this machine. @throws {IngestError} `target_misconfigured` otherwise */
export async function assertLockingSupported(): Promise<void> {
  if (platformLock() === openThenLock) await runFlock(['-h'])
}

function platformLock(): OpenLocked {
  const found = PLATFORMS[process.platform]
  if (!found) throw unsupportedPlatform()
  return found
}

/** The locked file. It names the lock's holder, and remains after the lock is released. */
function lockFile(dir: string): string {
  return join(dir, 'db.lock')
}

async function busyError(dir: string): Promise<IngestError> {
  const owner = (await readFile(lockFile(dir), 'utf8').catch(() => '')).trim()
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

/** The exit code of flock(1) when the file is locked. */
const FLOCK_CONFLICT = 1

/**
 * Node cannot call flock(2), so the command flock(1) locks the descriptor that it inherits. The lock stays, because both processes
 * share one open file.
 */
async function openThenLock(path: string, flags: number, mode: LockMode): Promise<number | undefined> {
  // A plain descriptor, because a FileHandle closes the file, and so releases the lock, when it is garbage collected.
  const fd = openSync(path, flags | constants.O_NONBLOCK)
  try {
    const { code, stderr } = await runFlock([mode === 'shared' ? '-s' : '-x', '-n', '3'], fd)
    if (code === 0) return fd
    // busybox exits with the same code on any failure, but writes to stderr only if the file is not just locked.
    if (code !== FLOCK_CONFLICT || stderr !== '') throw unlockableFile(path, stderr || `flock exited with ${code}`)
  } catch (error) {
    closeSync(fd)
    throw error
  }
  closeSync(fd)
  return undefined
}

/** Runs flock(1) with `fd` as its descriptor 3. @throws {IngestError} `target_misconfigured` when it cannot be started */
async function runFlock(args: readonly string[], fd?: number): Promise<{ code: number | null; stderr: string }> {
  // Detached, so that a Ctrl-C in the terminal does not reach the command.
  const stdio = ['ignore', 'ignore', 'pipe', fd ?? 'ignore'] as const
  const child = spawn('flock', args, { stdio: [...stdio], cwd: '/', detached: true })
  try {
    // Until the command has started, it may lack a stream for its messages.
    await once(child, 'spawn')
    const [stderr] = await Promise.all([text(child.stderr!), once(child, 'close')])
    return { code: child.exitCode, stderr: stderr.trim() }
  } catch (cause) {
    throw new IngestError('target_misconfigured', `the embedded database cannot be locked: ${messageOf(cause)}`, {
      cause,
      hint: 'install the command flock (package util-linux), or use --postgres or --server',
    })
  }
}

function unlockableFile(path: string, reason: string): IngestError {
  return new IngestError('target_misconfigured', `cannot lock ${path}: ${reason}`, {
    hint: 'use a folder on a file system with locks, such as a local disk or NFS 4',
  })
}

/** Flags of open(2) that acquire an flock. They have the same values on macOS and BSD, and Node has no constants for them. */
const OPEN_FLAGS: Readonly<Record<LockMode, number>> = { shared: 0x10, exclusive: 0x20 }
const O_NONBLOCK = 0x4

/** macOS and BSD lock a file while they open it. */
async function openWithLock(path: string, flags: number, mode: LockMode): Promise<number | undefined> {
  try {
    return openSync(path, flags | OPEN_FLAGS[mode] | O_NONBLOCK)
  } catch (error) {
    if (systemCodeOf(error) === 'EAGAIN') return undefined
    throw error
  }
}
