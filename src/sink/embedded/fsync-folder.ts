/** Makes the names in a folder last: a new file's name is the folder's content, and fsync of the file leaves that out. */
import fs from 'node:fs'
import { systemCodeOf } from '../../errors.js'

export function fsyncFolder(path: string): void {
  const fd = fs.openSync(path, 'r')
  try {
    fs.fsyncSync(fd)
  } catch (error) {
    // Some network and shared-folder file systems have no such thing; Postgres lets that pass too.
    if (systemCodeOf(error) !== 'EINVAL') throw error
  } finally {
    fs.closeSync(fd)
  }
}
