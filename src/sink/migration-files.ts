/** The migrations that come with the program. */

import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'

/** Beside this module in the sources, beside the bundle in what is published. */
const FOLDER = new URL('./migrations/', import.meta.url)

/** What a role must have to apply a file, and how the database is asked whether it does. */
export type Need = { readonly what: string; readonly condition: string }

export type MigrationFile = {
  readonly name: string
  readonly text: string
  /** SHA-256 in hex, the same whatever ends the lines. */
  readonly checksum: string
  /** From lines `-- needs <what>: <SQL condition>`. */
  readonly needs: readonly Need[]
}

/** In the order in which they apply. */
export async function migrationFiles(): Promise<readonly MigrationFile[]> {
  return Promise.all((await migrationNames()).map(readMigration))
}

export async function migrationNames(): Promise<readonly string[]> {
  return (await readdir(FOLDER)).filter(name => name.endsWith('.sql')).sort()
}

async function readMigration(name: string): Promise<MigrationFile> {
  const text = (await readFile(new URL(name, FOLDER), 'utf8')).replace(/\r\n/g, '\n')
  const needs = [...text.matchAll(/^-- needs ([^:\n]+): (.+)$/gm)].map(([, what = '', condition = '']) => ({
    what,
    condition,
  }))
  return { name, text, checksum: createHash('sha256').update(text).digest('hex'), needs }
}
