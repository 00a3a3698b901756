/** The database session that the upsert, verify and migration code uses, for every kind of database. */

/** One database session. Cast values to text in SQL where every digit matters, because drivers may round numbers. */
export interface SqlSession {
  /** Runs one statement with parameters and returns its rows as objects. */
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>
  /** Runs statements without parameters, separated by semicolons, in one round trip where the protocol allows. */
  execute(text: string): Promise<void>
  /**
   * Runs statements in order, in one round trip where the protocol allows, and returns the rows of each. After a failed
   * statement the rest may or may not run, so all of them must be part of one transaction.
   */
  pipeline(statements: readonly Statement[]): Promise<readonly (readonly object[])[]>
  /** Runs one `COPY … FROM STDIN` with `data`: complete rows in COPY text format. */
  copyIn(copy: CopyTarget, data: Uint8Array): Promise<void>
}

export type Statement = { readonly text: string; readonly values?: readonly unknown[] }

export type CopyTarget = { readonly table: string; readonly columns: readonly string[] }

/**
 * Begins a transaction that uses the schema `public`, whatever default the role or the database has. The setting is made in
 * the transaction because a transaction-mode pooler accepts it nowhere else.
 * @see contract section 4
 */
export const BEGIN = 'BEGIN; SET LOCAL search_path TO public'
