/** What a file system's errors mean to whoever stores something. */

import { IngestError, messageOf, systemCodeOf, type ErrorDetails } from '../../errors.js'

/** Runs one operation on the folder `root` and explains what went wrong. */
export async function explainFileErrors<T>(root: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation()
  } catch (cause) {
    throw cause instanceof IngestError || systemCodeOf(cause) === undefined ? cause : failure(root, cause)
  }
}

/** For what no interrupted write leaves behind. @param path of what is missing or wrong */
export function corruptObjectError(path: string, what: string): IngestError {
  const hint = 'put the file back, or delete the folder it is in to do without the object'
  return new IngestError('state_corrupt', `${path} ${what}`, { hint })
}

function failure(root: string, cause: unknown): IngestError {
  const path = (cause as NodeJS.ErrnoException).path ?? root
  const refused = (code: 'storage_denied' | 'storage_failed', what: string, details: ErrorDetails): IngestError =>
    new IngestError(code, `${path}: ${what}`, { cause, ...details })
  switch (systemCodeOf(cause) ?? '') {
    case 'EACCES':
    case 'EPERM':
      return refused('storage_denied', 'permission denied', { hint: `give this user write permission to ${root}` })
    case 'EROFS':
      return refused('storage_denied', 'the file system is read-only', { hint: 'name a folder that can be written' })
    case 'ENOSPC':
    case 'EDQUOT':
      return refused('storage_failed', 'no space left', { hint: `make room for ${root} and run it again` })
    case 'EFBIG':
      return refused('storage_failed', 'larger than a file may be', { hint: 'see `ulimit -f`' })
    case 'ENOTDIR':
    case 'EEXIST':
      return refused('storage_failed', 'something that is not a folder is in the way', {
        hint: `name another folder than ${root}, or move away what is there`,
      })
    default:
      return refused('storage_failed', messageOf(cause), { hint: 'check the disk and the path' })
  }
}
