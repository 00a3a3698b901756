/** Checks that a folder, or the place where it would be created, is writable and has free space. */

import { access, constants, stat, statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { messageOf, systemCodeOf } from '../errors.js'
import { fail, ok, warn, type Finding } from './finding.js'

const MIB = 1024 * 1024
/** Less free space than this causes a warning. A new embedded database takes 60 MB, and its log as much again. */
const LITTLE_BYTES = 1024 * MIB

/** The folder itself, or its nearest existing parent. */
async function existingFolder(path: string): Promise<string> {
  const full = resolve(path)
  try {
    await stat(full)
    return full
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT' || dirname(full) === full) throw error
    return existingFolder(dirname(full))
  }
}

/**
 * Reports the free space for a folder.
 * @param needBytes required space; less than this is a failure
 */
export async function checkFreeSpace(folder: string, needBytes: number): Promise<Finding> {
  const { bavail, bsize, files, ffree } = await statfs(await existingFolder(folder))
  const free = bavail * bsize
  const fact = `${inWords(free)} free for ${folder}`
  if (free < needBytes) return fail('target_misconfigured', fact, `free some: ${inWords(needBytes)} are needed`)
  // File systems without a fixed number of inodes report 0 of 0.
  if (files > 0 && ffree === 0)
    return fail('target_misconfigured', `no more files fit where ${folder} is`, 'delete some: the inodes are used up')
  return free < LITTLE_BYTES ? warn(fact, 'free some before a large push') : ok(fact)
}

/**
 * Reports whether a folder is writable.
 * @param paths further paths that must be writable
 */
export async function checkWritable(folder: string, paths: readonly string[]): Promise<Finding> {
  try {
    const existing = await existingFolder(folder)
    for (const path of [existing, ...paths]) await access(path, constants.R_OK | constants.W_OK)
    const made = existing === resolve(folder) ? folder : `${folder} can be made: ${existing}`
    return ok(`${made} can be written`)
  } catch (error) {
    const hint = 'check who owns it, or use another folder'
    return fail('target_misconfigured', `${folder} cannot be written: ${messageOf(error)}`, hint)
  }
}

function inWords(bytes: number): string {
  return bytes < 1024 * MIB ? `${Math.floor(bytes / MIB)} MiB` : `${(bytes / 1024 / MIB).toFixed(1)} GiB`
}
