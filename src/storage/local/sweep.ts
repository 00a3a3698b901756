/** Removes unfinished writes and deletions of killed processes. */

import { readdir, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { tryRemoveFolder, ignoreCodes } from './durable-files.js'
import { STAGING } from './key-folder.js'
import { stagingFolder } from './write.js'

/** Longer than any write takes. A process that was suspended for longer finds its folder gone and stages it again. */
const LEFT_AFTER_MS = 60 * 60 * 1000

/** Best effort: leftovers that cannot be removed are invisible to readers. @throws when `root` is not a folder */
export async function sweepStaging(root: string, now: () => number): Promise<void> {
  const names = await ignoreCodes(['ENOENT', 'EACCES', 'EPERM'], readdir(join(root, STAGING)))
  for (const name of names ?? []) await sweepOne(root, join(root, STAGING, name), now).catch(() => undefined)
}

async function sweepOne(root: string, path: string, now: () => number): Promise<void> {
  const { ctimeMs } = await stat(path)
  if (now() - ctimeMs < LEFT_AFTER_MS) return
  // Renamed first, so that its writer, if still alive, cannot publish a half-deleted folder.
  const grave = stagingFolder(root, 'old')
  await rename(path, grave)
  await tryRemoveFolder(grave)
}
