/**
 * The other migration runner, which created the production database. Lists its files and the migrations of this program that
 * they correspond to. The other runner identifies files by the ledger's column `filename` and reports names it does not know.
 * @see contract section 5
 */

/** For each migration of this program, the files of the other runner that together have the same effect. */
const EQUIVALENTS: Readonly<Record<string, readonly string[]>> = {
  '001_tables.sql': ['001_initial_schema', '006_read_path_perf'],
  '002_indexes.sql': ['001_initial_schema', '006_read_path_perf', '007_summary_covering_index'],
  '003_roles.sql': ['002_iam_db_user', '003_migrator_ledger_grant', '004_ingest_role', '005_read_role'],
  '004_uncompressed_bytes.sql': ['009_compression_uncompressed_size'],
  '005_open_mode.sql': ['010_random_access_open_mode'],
}

/** Files that only the other runner may apply, because our migrations would create the same objects under other names. */
const FIRST = [...new Set(['001_tables.sql', '002_indexes.sql', '003_roles.sql'].flatMap(findEquivalents))].sort()

/** A file without a counterpart here, because table ownership is not part of the contract. */
const OWNERSHIP = '008_migrator_ownership'

const KNOWN = new Set([OWNERSHIP, ...Object.values(EQUIVALENTS).flat()])

/**
 * Finds the other runner's files that correspond to a migration.
 * @param migration file name of a migration of this program
 * @returns names without `.sql`; empty when there is no counterpart
 */
function findEquivalents(migration: string): readonly string[] {
  return EQUIVALENTS[migration] ?? []
}

/** @param filename name as stored in the ledger, with or without `.sql` */
export function isOtherRunnersFile(filename: string): boolean {
  return KNOWN.has(withoutSuffix(filename))
}

/** Whether the ledger lists every counterpart of a migration. */
export function hasEquivalents(applied: Iterable<string>, migration: string): boolean {
  const found = new Set([...applied].map(withoutSuffix))
  const equivalents = findEquivalents(migration)
  return equivalents.length > 0 && equivalents.every(name => found.has(name))
}

/** Files of the other runner up to 007 that the ledger does not list. */
export function missingFirstFiles(applied: Iterable<string>): readonly string[] {
  const found = new Set([...applied].map(withoutSuffix))
  return FIRST.filter(name => !found.has(name))
}

/**
 * The names to record in the other runner's ledger for a migration: its counterparts, so that the other runner does not
 * apply them again. The names end in `.sql` if the names already in the ledger do.
 */
export function ledgerNames(applied: Iterable<string>, migration: string): readonly string[] {
  const equivalents = findEquivalents(migration)
  if (equivalents.length === 0) return [migration]
  const suffix = [...applied].some(name => name.endsWith('.sql')) ? '.sql' : ''
  return equivalents.map(name => name + suffix)
}

function withoutSuffix(filename: string): string {
  return filename.replace(/\.sql$/i, '')
}
