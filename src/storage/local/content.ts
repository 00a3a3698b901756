/**
 * Files in a key's folder. `b-VERSION` is a body. `c-VERSION` is an empty file, the pointer: its name tells which body is
 * the current content. Renaming `c-OLD` to `c-NEW` replaces the content; of several writers, the file system lets one
 * succeed. Other bodies belong to writers that have not renamed the pointer yet or that lost.
 *
 * A version is a random name and the length of the body, so that versions are never reused and torn bodies are detected.
 */

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Stored, Version } from '../storage.js'
import { read, readdir } from './blocking-fs.js'
import { ignoreCodes, corruptObjectError } from './durable-files.js'

export type Content = {
  readonly version: Version
  /** Names of all files in the folder. */
  readonly names: readonly string[]
}

const POINTER = 'c-'
const BODY = 'b-'

/** A listing can miss a file that is being renamed. After this many listings without it, the file counts as missing. */
const MAX_LISTINGS = 20

export function newVersion(body: Buffer): Version {
  return `${randomBytes(12).toString('hex')}-${body.length}`
}

/** Length of the body, from its version. */
export function bodyBytes(version: Version): number {
  return Number(/-(\d+)$/.exec(version)?.[1])
}

export function pointerPath(folder: string, version: Version): string {
  return join(folder, POINTER + version)
}

export function bodyPath(folder: string, version: Version): string {
  return join(folder, BODY + version)
}

/**
 * Finds the current version in a key's folder.
 * @returns undefined when the folder does not exist
 * @throws {IngestError} `state_corrupt` when the pointer or its body is missing
 */
export async function findContent(folder: string): Promise<Content | undefined> {
  for (let listing = 1; ; listing++) {
    const names = await ignoreCodes(['ENOENT', 'ESTALE'], readdir(folder))
    if (names === undefined) return undefined
    const [version, ...others] = currentVersions(names)
    if (version !== undefined && others.length === 0) return { version, names }
    if (listing === MAX_LISTINGS) throw corruptObjectError(folder, describeCorruption(names))
    await setTimeout(listing)
  }
}

/**
 * Reads the current content of a key's folder.
 * @returns undefined when the folder does not exist
 * @throws {IngestError} `state_corrupt` when a file is missing or the body is truncated
 */
export async function readContent(folder: string): Promise<Stored | undefined> {
  for (let tried: Version | undefined; ;) {
    const found = await findContent(folder)
    if (found === undefined) return undefined
    const { version } = found
    const body = await ignoreCodes(['ENOENT', 'ESTALE'], read(bodyPath(folder, version), bodyBytes(version)))
    if (body?.length === bodyBytes(version)) return { body, version }
    if (body !== undefined)
      throw corruptObjectError(bodyPath(folder, version), `has ${body.length} of ${bodyBytes(version)} bytes`)
    // Replaced during the read. Versions are never reused, so meeting the same one again means that its body is missing.
    if (version === tried) throw corruptObjectError(bodyPath(folder, version), 'is missing')
    tried = version
  }
}

/**
 * Versions that have both a pointer and a body. A pointer without a body is ignored: a rename that ran while its folder
 * was deleted and created again can move a pointer from the old folder into the new one.
 */
function currentVersions(names: readonly string[]): readonly Version[] {
  const bodies = new Set(names.filter(name => name.startsWith(BODY)).map(name => name.slice(BODY.length)))
  return names
    .filter(name => name.startsWith(POINTER))
    .map(name => name.slice(POINTER.length))
    .filter(version => bodies.has(version))
}

function describeCorruption(names: readonly string[]): string {
  const pointers = names.filter(name => name.startsWith(POINTER))
  if (pointers.length === 0) return `has no pointer file ${POINTER}…`
  return pointers.length === 1
    ? `has the pointer ${pointers[0]} without its body ${BODY}${pointers[0]?.slice(POINTER.length)}`
    : 'has several pointers with bodies'
}
