/** Maps keys to folder names. Encodes upper case, accents and leading dots, which not every file system keeps. */

import { join } from 'node:path'
import { IngestError } from '../../errors.js'

/** Suffix of a key's folder. No encoded part of a key contains it: the keys `a/b` and `a/b/c` are `a/b=` and `a/b/c=`. */
const KEY_MARK = '='

/** Folder for objects that are being created or deleted. No encoded part of a key begins with a dot. */
export const STAGING = '.tmp'

const MAX_NAME_BYTES = 255
const PLAIN = /^[a-z0-9_-][a-z0-9._-]*$/
const PLAIN_CHARACTER = /[a-z0-9._-]/

/** The folder of one key. @throws {IngestError} `usage` when a part of the key is too long for a file name */
export function keyFolder(root: string, key: string): string {
  const names = key.split('/').map(encodePart)
  names.push(`${names.pop()}${KEY_MARK}`)
  const long = names.find(name => name.length > MAX_NAME_BYTES)
  if (long !== undefined) {
    const hint = `shorten the part to ${MAX_NAME_BYTES - 1} bytes; bytes other than a-z, 0-9, ".", "_" and "-" count three times`
    throw new IngestError(
      'usage',
      `${JSON.stringify(key.slice(0, 100))} has a part that is too long for a folder name`,
      {
        hint,
      },
    )
  }
  return join(root, ...names)
}

/** The folder above all keys that begin with `prefix`, which ends with a slash or is empty. */
export function prefixFolder(root: string, prefix: string): string {
  return join(root, ...prefix.split('/').map(encodePart))
}

/** Decodes a folder name into the last part of a key, or a folder of keys. Undefined for names of other programs. */
export function parseName(name: string): { readonly part: string; readonly isKey: boolean } | undefined {
  const isKey = name.endsWith(KEY_MARK)
  const part = decodePart(isKey ? name.slice(0, -KEY_MARK.length) : name)
  return part === undefined ? undefined : { part, isKey }
}

function encodePart(part: string): string {
  return PLAIN.test(part) ? part : [...Buffer.from(part)].map(encodeByte).join('')
}

function encodeByte(byte: number, index: number): string {
  const character = String.fromCharCode(byte)
  const isPlain = PLAIN_CHARACTER.test(character) && !(index === 0 && character === '.')
  return isPlain ? character : `%${byte.toString(16).padStart(2, '0')}`
}

/** Undefined for a name that is not an encoded part, such as one with a capital letter. */
function decodePart(name: string): string | undefined {
  if (PLAIN.test(name)) return name
  try {
    const part = decodeURIComponent(name)
    return part !== '' && encodePart(part) === name ? part : undefined
  } catch {
    return undefined
  }
}
