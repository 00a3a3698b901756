/** A database session and its transactions: what every query, upsert and migration uses, for every kind of database. */

import { IngestError } from '../errors.js'

/** One database session. Cast values to text in SQL where every digit matters, because drivers may round numbers. */
export interface SqlSession {
  /** Runs one statement with parameters and returns its rows as objects. */
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>
  /**
   * Runs statements without parameters, separated by semicolons, in one round trip where the protocol allows.
   * @returns the rows of the last statement
   */
  execute(text: string): Promise<readonly object[]>
  /**
   * Runs statements in order, in one round trip where the protocol allows, and returns the rows of each. After a failed
   * statement the rest may or may not run, so all of them must be part of one transaction.
   */
  pipeline(statements: readonly Statement[]): Promise<readonly (readonly object[])[]>
  /** Runs one `COPY … FROM STDIN` with `data`: complete rows in COPY text format. */
  copyIn(copy: CopyTarget, data: Uint8Array): Promise<void>
}

export type ClosableSession = SqlSession & { close(): Promise<void> }

export type Statement = { readonly text: string; readonly values?: readonly unknown[] }

export type CopyTarget = { readonly table: string; readonly columns: readonly string[] }

/**
 * Begins a transaction that uses the schema `public` and is durable once it is committed, whatever defaults the role or the
 * database has. The settings are made in the transaction because a transaction-mode pooler accepts them nowhere else. Every
 * statement sees what others have committed before it (READ COMMITTED), because writers wait for each other at locks.
 * @see contract section 4
 */
export const BEGIN = [
  'BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL search_path TO public',
  `SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'`,
].join('; ')

/** Runs work that begins, and may end, a transaction. Rolls the transaction back when the work fails. */
export async function rollBackOnError<T>(session: SqlSession, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    // If the session is lost, the server rolls back and this ROLLBACK fails. The first error is the one to report.
    await session.execute('ROLLBACK').catch(() => undefined)
    throw error
  }
}

/**
 * Runs work in a transaction and commits it.
 * @param begin the statements that begin the transaction
 */
export function inTransaction<T>(session: SqlSession, begin: string, work: () => Promise<T>): Promise<T> {
  return rollBackOnError(session, async () => {
    await session.execute(begin)
    const result = await work()
    await session.execute('COMMIT')
    return result
  })
}

/** Runs queries that all see the same state of the database, so that a concurrent push is seen whole or not at all. */
export async function inSnapshot<T>(session: SqlSession, work: () => Promise<T>): Promise<T> {
  await session.execute('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
  try {
    return await work()
  } finally {
    // ROLLBACK fails when the connection is lost. The error that lost the connection is the one to report.
    await session.execute('ROLLBACK').catch(() => undefined)
  }
}

/** Prepares a new session for its use. Closes the session when that fails. */
export async function prepareSession<Session extends ClosableSession>(
  session: Session,
  prepare: (session: Session) => Promise<unknown>,
): Promise<Session> {
  try {
    await prepare(session)
    return session
  } catch (error) {
    // Only the first error is reported.
    await session.close().catch(() => undefined)
    throw error
  }
}

/**
 * Whether a transaction was rolled back although `statements` asked for something else, such as COMMIT.
 * @param tags the command tags of the answers
 */
export function isRolledBack(statements: string, tags: readonly (string | undefined)[]): boolean {
  // Postgres does not report an error for the COMMIT of a failed transaction. It answers with the tag ROLLBACK instead.
  return tags.includes('ROLLBACK') && !/\b(rollback|abort)\b/i.test(statements)
}

/** @param source `STDIN`, or the name of a file as an SQL string */
export function copyStatement({ table, columns }: CopyTarget, source: string): string {
  return `COPY ${quoted(table)} (${columns.map(quoted).join(',')}) FROM ${source}`
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** The error that an aborted call rejects with: the signal's reason if it is an `IngestError`. */
export function interruptionError(signal: AbortSignal | undefined): IngestError {
  const cause: unknown = signal?.reason
  return cause instanceof IngestError ? cause : new IngestError('interrupted', 'interrupted', { cause })
}
