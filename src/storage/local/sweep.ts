/** Removes what killed processes left unfinished. */

import { readdir, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { tryRemoveFolder, ignoreCodes } from './durable-files.js'
import { STAGING } from './key-folder.js'
import { stagingFolder } from './write.js'

/** No write takes so long; one whose process slept meanwhile finds its folder gone and stages it again. */
const LEFT_AFTER_MS = 60 * 60 * 1000

/** Does what it can: a sweep that fails leaves things that nobody sees. @throws when `root` is not a folder */
export async function sweepStaging(root: string, now: () => number): Promise<void> {
  const names = await ignoreCodes(['ENOENT', 'EACCES', 'EPERM'], readdir(join(root, STAGING)))
  for (const name of names ?? []) await sweepOne(root, join(root, STAGING, name), now).catch(() => undefined)
}

async function sweepOne(root: string, path: string, now: () => number): Promise<void> {
  const { ctimeMs } = await stat(path)
  if (now() - ctimeMs < LEFT_AFTER_MS) return
  // First out of reach in one step: its writer must not put half of it in place.
  const grave = stagingFolder(root, 'old')
  await rename(path, grave)
  await tryRemoveFolder(grave)
}
