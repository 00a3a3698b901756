/**
 * The inside of a key's folder: `b-VERSION` is a body, `c-VERSION` an empty file whose name says which body is the
 * content. Whoever renames `c-OLD` to `c-NEW` has replaced the content: the file system lets one of several do so. Other
 * bodies belong to writers that have not won yet or never will.
 *
 * A version is a random name and the body's length, so that none is ever used again and a torn body is told.
 */

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Stored, Version } from '../storage.js'
import { read, readdir } from './blocking-fs.js'
import { ignoreCodes } from './durable-files.js'
import { corruptObjectError } from './failure.js'

export type Content = {
  readonly version: Version
  /** Everything in the folder. */
  readonly names: readonly string[]
}

const POINTER = 'c-'
const BODY = 'b-'

/** A listing may miss a file that is renamed meanwhile; a file that stays missing for so many is not there. */
const MAX_LISTINGS = 20

export function newVersion(body: Buffer): Version {
  return `${randomBytes(12).toString('hex')}-${body.length}`
}

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
 * Which content a key's folder has; undefined when there is no such folder.
 * @throws {IngestError} `state_corrupt` when somebody took the pointer or its body away
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
 * The content of a key's folder, whole; undefined when there is no such folder.
 * @throws {IngestError} `state_corrupt` when somebody took a part of it away
 */
export async function readContent(folder: string): Promise<Stored | undefined> {
  for (let tried: Version | undefined; ;) {
    const found = await findContent(folder)
    if (found === undefined) return undefined
    const { version } = found
    const body = await ignoreCodes(['ENOENT', 'ESTALE'], read(bodyPath(folder, version), bodyBytes(version)))
    if (body?.length === bodyBytes(version)) return { body, version }
    if (body !== undefined) throw corruptObjectError(bodyPath(folder, version), `has ${body.length} of its bytes`)
    // It was replaced meanwhile; the next one may be as well, but never by the same.
    if (version === tried) throw corruptObjectError(bodyPath(folder, version), 'is missing')
    tried = version
  }
}

/**
 * Pointers with their bodies. One without may have come from a folder that was deleted in the middle of a rename, when
 * the kernel had looked up the old path in it and not yet the new one; it says nothing about this folder.
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
  if (pointers.length === 0) return `has no file ${POINTER}… that says which body is the content`
  return pointers.length === 1
    ? `has ${pointers[0]} and not ${BODY}${pointers[0]?.slice(POINTER.length)}, the body it names`
    : 'has several contents'
}
