/** The migrations that come with the program. */

import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'

/** Beside this module in the sources, beside the bundle in what is published. */
const FOLDER = new URL('./migrations/', import.meta.url)

/** A right that a role must have to apply a file, and the SQL condition that tells whether the role has it. */
export type Need = { readonly right: string; readonly condition: string }

export type MigrationFile = {
  readonly name: string
  readonly text: string
  /** SHA-256 in hex, the same whatever ends the lines. */
  readonly checksum: string
  /** Checksums of what earlier builds applied under this name, from lines `-- earlier content: <checksum>`. */
  readonly earlierChecksums: readonly string[]
  readonly needs: readonly Need[]
}

/** All migrations in the order in which they apply. */
export async function migrationFiles(): Promise<readonly MigrationFile[]> {
  return Promise.all((await migrationNames()).map(readMigration))
}

export async function migrationNames(): Promise<readonly string[]> {
  return (await readdir(FOLDER)).filter(name => name.endsWith('.sql')).sort()
}

async function readMigration(name: string): Promise<MigrationFile> {
  const text = (await readFile(new URL(name, FOLDER), 'utf8')).replace(/\r\n/g, '\n')
  const earlierChecksums = [...text.matchAll(/^-- earlier content: ([0-9a-f]{64})$/gm)].map(([, sum = '']) => sum)
  const checksum = createHash('sha256').update(text).digest('hex')
  return { name, text, checksum, earlierChecksums, needs: parseNeeds(text) }
}

/**
 * The rights that the comments of a migration ask for:
 * - `-- needs <what>: <SQL condition>`
 * - `-- migrate-schema: requires-superuser`: a superuser or a role with CREATEROLE, the marker of the migration runner
 *   that made the production database. A line `-- or <what>: <SQL condition>` names what makes up for that.
 */
export function parseNeeds(text: string): readonly Need[] {
  const stated = [...text.matchAll(/^-- needs ([^:\n]+): (.+)$/gm)]
  const needs = stated.map(([, right = '', condition = '']) => ({ right, condition }))
  return /^\s*-+\s*migrate-schema: requires-superuser\s*$/m.test(text) ? [roleRight(text), ...needs] : needs
}

/** True for a superuser and for a role that may make roles, as the master user of RDS may. */
export const MAY_MAKE_ROLES = `SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user`

function roleRight(text: string): Need {
  const [, right, condition] = /^-- or ([^:\n]+): (.+)$/m.exec(text) ?? []
  if (right === undefined || condition === undefined) return { right: 'CREATEROLE', condition: `(${MAY_MAKE_ROLES})` }
  return { right: `CREATEROLE (or ${right})`, condition: `(${MAY_MAKE_ROLES}) OR ${condition}` }
}
