/** Limits the rows of a query by their bytes, in the database. */

/** SQL for the bytes of text columns together. */
export function byteSum(columns: readonly string[]): string {
  return columns.map(column => `coalesce(octet_length(${column}), 0)::bigint`).join(' + ')
}

/**
 * SQL for the first rows of a query, up to a number of bytes together. The database does not send the other rows.
 * @param query selects, among others, `place`, by which the rows are ordered, and `weight`, the bytes of the row
 */
export function withinBytes(query: string, mostBytes: number): string {
  return `
    SELECT * FROM (
      SELECT *, sum(weight) OVER (ORDER BY place ROWS UNBOUNDED PRECEDING) AS total, (count(*) OVER ())::text AS found
      FROM (${query}) AS listed
    ) AS summed WHERE total <= ${mostBytes} ORDER BY place`
}

/** Number of rows of a query before `withinBytes` limited it. At least one row is left unless its first is too large. */
export function foundRows(rows: readonly object[]): number {
  return Number((rows[0] as { readonly found?: string } | undefined)?.found ?? 0)
}
