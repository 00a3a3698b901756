/** The folder lock on macOS and BSD: an flock taken while opening a file. */
import { closeSync, constants, openSync } from 'node:fs'
import { systemCodeOf } from '../../errors.js'

/** open(2) flags: the same on these systems, and without a name in Node. */
const O_NONBLOCK = 0x4
const O_SHLOCK = 0x10
const O_EXLOCK = 0x20

/**
 * Opens `path` (made when missing) and locks it. Returns what releases it, or undefined when somebody else has it.
 * The lock belongs to the open file, so it excludes other opens in this process too and goes when the process does.
 */
export async function takeFileLock(path: string): Promise<(() => Promise<void>) | undefined> {
  try {
    // A bare descriptor: a FileHandle that is garbage collected closes, and with that unlocks, by itself.
    const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | O_EXLOCK | O_NONBLOCK)
    return async () => closeSync(fd)
  } catch (error) {
    if (systemCodeOf(error) === 'EAGAIN') return undefined
    throw error
  }
}

/** Whether somebody has locked `path`. To see it, its lock is shared for a moment. */
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
