/** Makes a folder's entries durable. A new file's name is part of its folder, so fsync of the file alone does not save it. */
import fs from 'node:fs'
import { systemCodeOf } from '../../errors.js'

export function fsyncFolder(path: string): void {
  const fd = fs.openSync(path, 'r')
  try {
    fs.fsyncSync(fd)
  } catch (error) {
    // Some network file systems cannot fsync a folder. Postgres ignores this too.
    if (systemCodeOf(error) !== 'EINVAL') throw error
  } finally {
    fs.closeSync(fd)
  }
}
