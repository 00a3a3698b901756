/**
 * The migration runner that made the production database: its files, and which of ours they stand for. It knows a file by
 * the column `filename` of the ledger, and reports names that are not among its own files.
 * @see contract section 5
 */

/** Files of the other runner that together do what one of our migrations does. */
const EQUIVALENTS: Readonly<Record<string, readonly string[]>> = {
  '001_tables.sql': ['001_initial_schema', '006_read_path_perf'],
  '002_indexes.sql': ['001_initial_schema', '006_read_path_perf', '007_summary_covering_index'],
  '003_roles.sql': ['002_iam_db_user', '003_migrator_ledger_grant', '004_ingest_role', '005_read_role'],
  '004_uncompressed_bytes.sql': ['009_compression_uncompressed_size'],
  '005_open_mode.sql': ['010_random_access_open_mode'],
}

/** The first files, which only the other runner can apply: ours would make the same things under other names. */
const FIRST = [...new Set(['001_tables.sql', '002_indexes.sql', '003_roles.sql'].flatMap(findEquivalents))].sort()

/** A file without a counterpart of ours: who owns the tables is not part of the contract. */
const OWNERSHIP = '008_migrator_ownership'

const KNOWN = new Set([OWNERSHIP, ...Object.values(EQUIVALENTS).flat()])

/** @param migration the name of a migration of ours @returns names without `.sql`; none when there is no counterpart */
export function findEquivalents(migration: string): readonly string[] {
  return EQUIVALENTS[migration] ?? []
}

/** @param filename as the ledger has it */
export function isOtherRunnersFile(filename: string): boolean {
  return KNOWN.has(withoutSuffix(filename))
}

/** Whether the ledger has every counterpart of one of our migrations. */
export function hasEquivalents(applied: Iterable<string>, migration: string): boolean {
  const found = new Set([...applied].map(withoutSuffix))
  const equivalents = findEquivalents(migration)
  return equivalents.length > 0 && equivalents.every(name => found.has(name))
}

/** Files up to 007 that a ledger lacks. */
export function missingFirstFiles(applied: Iterable<string>): readonly string[] {
  const found = new Set([...applied].map(withoutSuffix))
  return FIRST.filter(name => !found.has(name))
}

/**
 * Ledger rows for one of our migrations: the counterparts' names, so that the other runner does not apply them again.
 * They end in `.sql` if the names that are there do.
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
