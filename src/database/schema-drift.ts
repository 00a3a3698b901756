/** Finds differences between a database's schema and the schema that the migrations create. Only reads. */

import { EXPECTED_TABLES, type ExpectedColumn, type ExpectedTable } from './expected-schema.js'
import { readInterventions, type Intervention } from './interventions.js'
import { isApplied, isOnRequest, readLedger, unknownNames, type Ledger } from './ledger.js'
import { migrationFiles, type MigrationFile } from './migration-files.js'
import { readTokenMembership } from './read-role.js'
import type { SqlSession } from './session.js'

export type Drift = {
  readonly code:
    | 'missing_migration'
    | 'missing_optional_migration'
    | 'unknown_migration'
    | 'changed_migration'
    | 'missing_table'
    | 'missing_column'
    | 'wrong_type'
    | 'wrong_null'
    | 'required_column'
    | 'missing_key'
    | 'missing_index'
    | 'not_a_table'
    | 'trigger'
    | 'rule'
    | 'row_security'
    | 'token_login'
    | 'inherited_token_login'
  /** A migration, a table, `table.column` or a role. */
  readonly object: string
  readonly message: string
}

export type SchemaComparison = {
  readonly drift: readonly Drift[]
  /** False when the role has no right to read the ledger. The migrations were not compared then. */
  readonly isLedgerReadable: boolean
}

/**
 * Compares migrations, tables, columns, indexes and the login of `bench_read`, and looks for triggers, rules, views and row-level
 * security that may change or prevent what a push stores.
 */
export async function compareSchema(session: SqlSession): Promise<SchemaComparison> {
  const { columns, indexes } = await readSchema(session)
  const interventions = await readInterventions(session)
  const tables = EXPECTED_TABLES.flatMap(table => {
    const found = columns.filter(column => column.table === table.name)
    const own = interventions.filter(one => one.table === table.name).map(interventionDrift)
    if (own.some(({ code }) => code === 'not_a_table')) return own
    if (found.length === 0) return [drift('missing_table', table.name, 'the table is missing')]
    return [...columnDrift(table, found), ...indexDrift(table, indexes), ...own]
  })
  const ledger = await readLedger(session)
  const migrations = ledger.isReadable ? migrationDrift(ledger, await migrationFiles()) : []
  return { drift: [...migrations, ...tables, ...(await loginDrift(session))], isLedgerReadable: ledger.isReadable }
}

function drift(code: Drift['code'], object: string, message: string): Drift {
  return { code, object, message }
}

function migrationDrift(ledger: Ledger, files: readonly MigrationFile[]): readonly Drift[] {
  return [
    ...files.flatMap(file => {
      if (isOnRequest(ledger, file)) return []
      const missing = file.isOptional ? 'missing_optional_migration' : 'missing_migration'
      if (!isApplied(ledger, file)) return [drift(missing, file.name, 'the migration is not applied')]
      const checksum = ledger.applied.get(file.name)
      if (checksum === undefined || [file.checksum, ...file.earlierChecksums].includes(checksum)) return []
      return [drift('changed_migration', file.name, 'a different content was applied under this name')]
    }),
    ...unknownNames(ledger, files).map(name =>
      drift('unknown_migration', name, 'applied by another program or by a newer version'),
    ),
  ]
}

async function loginDrift(session: SqlSession): Promise<readonly Drift[]> {
  const membership = await readTokenMembership(session)
  if (membership === 'none') return []
  const [code, through] =
    membership === 'inherited'
      ? (['inherited_token_login', ' through another role'] as const)
      : (['token_login', ''] as const)
  const message = `the role is a member of rds_iam${through}, so it cannot log in with its password`
  return [drift(code, 'bench_read', message)]
}

type Column = ExpectedColumn & { readonly table: string; readonly supplied: boolean }

type Index = { readonly table: string; readonly definition: string; readonly primary: boolean }

/** `supplied` marks columns that the database fills in when an INSERT omits them. */
const COLUMNS = `
  SELECT c.relname::text AS table, a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type,
    NOT a.attnotnull AS nullable, a.atthasdef OR a.attidentity <> '' AS supplied
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped`

/** Only valid indexes count. A failed CREATE INDEX CONCURRENTLY leaves an invalid index that is never used. */
const INDEXES = `
  SELECT c.relname::text AS table, pg_get_indexdef(i.indexrelid) AS definition, i.indisprimary AS primary
  FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
  WHERE c.relnamespace = 'public'::regnamespace AND i.indisvalid`

const TRIGGER_EFFECTS = {
  before: 'may change or drop rows before they are stored',
  after: 'may change or delete rows that are stored',
  deferred: 'may change or delete rows when a push commits',
} as const

function interventionDrift({ table, code, name, timing }: Intervention): Drift {
  const messages = {
    not_a_table: `a ${name} stands in place of the table`,
    trigger: `the trigger ${name} ${TRIGGER_EFFECTS[timing ?? 'after']}`,
    rule: `the rule ${name} prevents rows from being stored`,
    row_security: 'row-level security is on, so policies may refuse rows or hide stored ones',
  }
  return drift(code, table, messages[code])
}

async function readSchema(session: SqlSession): Promise<{ columns: readonly Column[]; indexes: readonly Index[] }> {
  return { columns: await session.query<Column>(COLUMNS), indexes: await session.query<Index>(INDEXES) }
}

function columnDrift(table: ExpectedTable, found: readonly Column[]): readonly Drift[] {
  const expected = new Set(table.columns.map(({ name }) => name))
  const required = found.filter(({ name, nullable, supplied }) => !expected.has(name) && !nullable && !supplied)
  return [
    ...table.columns.flatMap(column => {
      const actual = found.find(({ name }) => name === column.name)
      const object = `${table.name}.${column.name}`
      if (actual === undefined) return [drift('missing_column', object, `the column (${column.type}) is missing`)]
      if (actual.type !== column.type)
        return [drift('wrong_type', object, `the column must be ${column.type}, it is ${actual.type}`)]
      if (actual.nullable === column.nullable) return []
      return [
        drift('wrong_null', object, column.nullable ? 'the column must be nullable' : 'the column must be NOT NULL'),
      ]
    }),
    ...required.map(({ name }) =>
      drift(
        'required_column',
        `${table.name}.${name}`,
        'the column is NOT NULL without a default, so no row can be inserted',
      ),
    ),
  ]
}

function indexDrift({ name: table, key, indexes }: ExpectedTable, found: readonly Index[]): readonly Drift[] {
  const tableIndexes = found.filter(index => index.table === table)
  const hasKey = tableIndexes.some(({ primary, definition }) => primary && indexShape(definition) === `(${key})`)
  const shapes = new Set(tableIndexes.map(({ definition }) => indexShape(definition)))
  return [
    ...(hasKey ? [] : [drift('missing_key', table, `the primary key (${key}) is missing`)]),
    ...indexes.filter(shape => !shapes.has(shape)).map(shape => drift('missing_index', table, `no index on ${shape}`)),
  ]
}

/** The columns of an index definition: `(a, b DESC) INCLUDE (c)`. The condition of a partial index stays part of the result. */
function indexShape(definition: string): string {
  return definition.replace(/^.* USING btree /, '').replaceAll('"', '')
}
