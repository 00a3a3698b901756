/** The folder lock on macOS and BSD: an flock acquired when opening a file. */
import { closeSync, constants, openSync } from 'node:fs'
import { systemCodeOf } from '../../errors.js'

/** Flags of open(2). They have the same values on these systems, and Node has no constants for them. */
const O_NONBLOCK = 0x4
const O_SHLOCK = 0x10
const O_EXLOCK = 0x20

/**
 * Opens `path`, creating it if it is missing, and locks it. The lock belongs to the open file, so it also excludes other opens
 * in this process, and it ends with the process.
 * @returns a function that releases the lock; undefined when the file is already locked
 */
export async function takeFileLock(path: string): Promise<(() => Promise<void>) | undefined> {
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
export async function isFileLocked(path: string): Promise<boolean> {
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
