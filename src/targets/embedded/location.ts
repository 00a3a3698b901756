/** Names the location of an embedded database. */

import { resolve } from 'node:path'

/** The target id of the embedded database in a folder. */
export function embeddedId(folder: string): string {
  return `embedded:${resolve(folder)}`
}

export function describeEmbedded(folder: string): string {
  return `the embedded database in ${folder}`
}
