/** Reads the migrations that are shipped with the program. */

import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'

/** The folder next to this module, or next to the bundle in the published package. */
const FOLDER = new URL('./migrations/', import.meta.url)

/** A right that a role needs to apply a migration, and an SQL condition that is true when the role has the right. */
export type Need = { readonly right: string; readonly condition: string }

export type MigrationFile = {
  readonly name: string
  readonly text: string
  /** SHA-256 in hex. It does not depend on the line endings. */
  readonly checksum: string
  /** Checksums of earlier contents of this file, from its lines `-- earlier content: <checksum>`. */
  readonly earlierChecksums: readonly string[]
  readonly needs: readonly Need[]
  /**
   * Whether the file has a line `-- optional: …`. A push works without such a migration, and applying it again only repairs what
   * was removed. The database of the other runner gets it on request only, and its ledger does not list it.
   */
  readonly isOptional: boolean
}

/** All migrations in the order in which they are applied. */
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
  return { name, text, checksum, earlierChecksums, needs: parseNeeds(text), isOptional: /^-- optional: /m.test(text) }
}

/**
 * Parses the rights that a migration's comments require:
 * - `-- needs <right>: <SQL condition>`
 * - `-- migrate-schema: requires-superuser` requires a superuser or a role with CREATEROLE. This marker is from the migration
 *   runner that created the production database. A line `-- or <right>: <SQL condition>` names a sufficient alternative.
 */
export function parseNeeds(text: string): readonly Need[] {
  const stated = [...text.matchAll(/^-- needs ([^:\n]+): (.+)$/gm)]
  const needs = stated.map(([, right = '', condition = '']) => ({ right, condition }))
  return /^\s*-+\s*migrate-schema: requires-superuser\s*$/m.test(text) ? [roleRight(text), ...needs] : needs
}

/** SQL that is true for a superuser and for a role with CREATEROLE, such as the master user of RDS. */
export const MAY_MAKE_ROLES = `SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user`

function roleRight(text: string): Need {
  const [, right, condition] = /^-- or ([^:\n]+): (.+)$/m.exec(text) ?? []
  if (right === undefined || condition === undefined) return { right: 'CREATEROLE', condition: `(${MAY_MAKE_ROLES})` }
  return { right: `CREATEROLE (or ${right})`, condition: `(${MAY_MAKE_ROLES}) OR ${condition}` }
}
