/** Checks the embedded database without starting it, because starting it would write. */

import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCodeOf } from '../../errors.js'
import { loadEmbedded } from '../../database/embedded/load.js'
import { fail, known, ok, type Check, type CheckGroup, type Finding } from '../../doctor/finding.js'
import { checkFreeSpace, checkWritable } from '../../doctor/folder.js'

const MIB = 1024 * 1024
const NEW_DATABASE_BYTES = 150 * MIB
const LOG_BYTES = 32 * MIB

export async function embeddedChecks(folder: string): Promise<Omit<CheckGroup, 'name'>> {
  const database = join(folder, 'db')
  const checks: readonly Check[] = [
    { name: 'engine', run: async () => [await engineFinding()] },
    { name: 'folder', run: async () => [await folderFinding(folder, database)] },
    { name: 'lock', run: () => lockFindings(folder) },
    { name: 'writable', run: async () => [await checkWritable(folder, (await isThere(database)) ? [database] : [])] },
    {
      name: 'disk',
      run: async () => [await checkFreeSpace(folder, (await isThere(database)) ? LOG_BYTES : NEW_DATABASE_BYTES)],
    },
    known('tables', ok('made and migrated by each push; `vortex-ingest migrate --check` compares them')),
  ]
  return { target: `the embedded database in ${folder}`, checks }
}

/** Loading the engine starts nothing. It fails with a hint when the engine is not installed or cannot open enough files. */
async function engineFinding(): Promise<Finding> {
  await loadEmbedded()
  const { assertOpenFiles } = await import('../../database/embedded/data-dir.js')
  await assertOpenFiles()
  return ok('installed')
}

async function folderFinding(folder: string, database: string): Promise<Finding> {
  const found = await stat(folder).catch(missingIsUndefined)
  if (found === undefined) return ok(`${folder} is not there yet: the first push makes it`)
  if (!found.isDirectory()) return fail('target_misconfigured', `${folder} is not a folder`, 'use another path')
  if (!(await isThere(database))) return ok(`${folder} holds no database yet: the first push makes it`)
  const { assertDataVersion, POSTGRES_MAJOR } = await import('../../database/embedded/data-dir.js')
  await assertDataVersion(database)
  return ok(`${database} is a database of Postgres ${POSTGRES_MAJOR}, as this version takes`)
}

async function lockFindings(folder: string): Promise<readonly Finding[]> {
  const { assertLockingSupported, assertUnlocked } = await import('../../database/embedded/lock.js')
  await assertLockingSupported()
  // The `folder` check reports other kinds of files at this path.
  if (!(await isFolder(folder))) return []
  await assertUnlocked(folder)
  return [ok('no process has it open')]
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(missingIsUndefined))?.isDirectory() === true
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(missingIsUndefined)) !== undefined
}

function missingIsUndefined(error: unknown): undefined {
  if (!['ENOENT', 'ENOTDIR'].includes(systemCodeOf(error) ?? '')) throw error
}
