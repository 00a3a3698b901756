/** Turns file-system errors into `IngestError`s with a hint. */

import { IngestError, messageOf, systemCodeOf, type ErrorDetails } from '../../errors.js'

/** Runs an operation on the folder `root`. @throws {IngestError} for every system error of the operation */
export async function explainFileErrors<T>(root: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation()
  } catch (cause) {
    throw cause instanceof IngestError || systemCodeOf(cause) === undefined ? cause : failure(root, cause)
  }
}

/** The error for damage that no interrupted write can cause. @param path the missing or wrong file */
export function corruptObjectError(path: string, what: string): IngestError {
  const hint = 'restore the file, or delete its folder to give up the object'
  return new IngestError('state_corrupt', `${path} ${what}`, { hint })
}

function failure(root: string, cause: unknown): IngestError {
  const path = (cause as NodeJS.ErrnoException).path ?? root
  const failed = (code: 'storage_denied' | 'storage_failed', what: string, details: ErrorDetails): IngestError =>
    new IngestError(code, `${path}: ${what}`, { cause, ...details })
  switch (systemCodeOf(cause) ?? '') {
    case 'EACCES':
    case 'EPERM':
      return failed('storage_denied', 'permission denied', { hint: `give this user write permission to ${root}` })
    case 'EROFS':
      return failed('storage_denied', 'the file system is read-only', { hint: 'name a writable folder' })
    case 'ENOSPC':
    case 'EDQUOT':
      return failed('storage_failed', 'no space left', { hint: `free space for ${root} and run the command again` })
    case 'EFBIG':
      return failed('storage_failed', 'exceeds the maximum file size', { hint: 'raise the limit, see `ulimit -f`' })
    case 'ENOTDIR':
    case 'EEXIST':
      return failed('storage_failed', 'the path is taken by something that is not a folder', {
        hint: `move the existing file away, or name another folder than ${root}`,
      })
    default:
      return failed('storage_failed', messageOf(cause), { hint: 'check the disk and the path' })
  }
}
