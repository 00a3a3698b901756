/** What the shared upsert, verify and migrate code needs from a database, whichever one it is. */

/** One database session. Values come back as text where digits matter: cast in SQL. */
export interface SqlSession {
  /** Runs one statement with parameters and returns its rows as objects. */
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>
  /** Runs any number of statements without parameters, in one round trip where the protocol allows. */
  execute(text: string): Promise<void>
  /**
   * Runs statements one after the other, in one round trip where the protocol allows, and returns the rows of each.
   * Whether those after one that fails are run is not said: make them parts of one transaction.
   */
  pipeline(statements: readonly Statement[]): Promise<readonly (readonly object[])[]>
  /** Runs one `COPY … FROM STDIN` over `data` (COPY text format, whole rows). */
  copyIn(copy: CopyTarget, data: Uint8Array): Promise<void>
}

export type Statement = { readonly text: string; readonly values?: readonly unknown[] }

export type CopyTarget = { readonly table: string; readonly columns: readonly string[] }

/**
 * Begins a transaction that means the schema `public`, whatever the role or the database prefers. A pooler takes no such
 * setting at login, and a transaction is all it gives to one client alone.
 * @see contract section 4
 */
export const BEGIN = 'BEGIN; SET LOCAL search_path TO public'
