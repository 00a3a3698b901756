/** Makes batches of the rows of a database or server: all records of a commit together. */

import { COMMIT_FIELDS, isFullSha, type Commit } from '../../contract/commit.js'
import type { Kind } from '../../contract/kinds.js'
import { isTimestamp, TIMESTAMP_RULE } from '../../contract/timestamp.js'
import type { StoredRow } from '../../database/queries/rows.js'
import type { RecordReader } from '../../database/record-reader.js'
import { IngestError } from '../../errors.js'
import { BatchLines } from './batch-lines.js'
import { CORRECT_HINT, type CopyBatch, type CopyFilter, type OpenCopySource } from './copy-source.js'
import { lineWriter } from './record-line.js'

type RowSourceOptions = Pick<CopyFilter, 'kinds'> & { readonly description: string }

/** A source that is read by rows. */
export async function rowSource(reader: RecordReader, options: RowSourceOptions): Promise<OpenCopySource> {
  let records: number | undefined = 0
  for (const kind of options.kinds) {
    const counted = await reader.count(kind)
    records = records === undefined || counted === undefined ? undefined : records + counted
  }
  return { records, batches: after => rowBatches(reader, { ...options, after }) }
}

type RowBatchesOptions = Pick<CopyFilter, 'kinds'> & {
  /** The source in words, for messages. */
  readonly description: string
  /** Continues after this commit id. */
  readonly after?: string | undefined
}

/**
 * Reads the commits and the rows of each kind side by side, because all are ordered by the commit id.
 * @throws {IngestError} `bad_data` for a row whose commit is not stored
 */
async function* rowBatches(
  reader: RecordReader,
  { kinds, description, after }: RowBatchesOptions,
): AsyncGenerator<CopyBatch> {
  const rows = kinds.map(kind => new KindRows(kind, reader.records(kind, after)))
  try {
    for await (const commits of reader.commits(after))
      for (const commit of commits) {
        assertCommit(commit)
        const parts = await readCommit(rows, commit)
        for (const [index, part] of parts.entries())
          yield part.batch({ commit, description, position: index === parts.length - 1 ? commit.sha : undefined })
      }
    for (const one of rows) await one.assertNoneBefore(undefined)
  } finally {
    await Promise.all(rows.map(one => one.close()))
  }
}

/** @throws {IngestError} `bad_data` for a commit that a push would refuse */
function assertCommit(commit: Commit): void {
  const refuse = (column: string, problem: string): never => {
    throw new IngestError('bad_data', `commits ${commit.sha}, column ${column}: ${problem}`, { hint: CORRECT_HINT })
  }
  if (!isFullSha(commit.sha)) refuse('commit_sha', 'must be 40 lowercase hex digits')
  // A time that RFC 3339 cannot express, such as infinity, is read as null.
  if (!isTimestamp(commit.timestamp ?? '')) refuse('timestamp', TIMESTAMP_RULE)
  for (const field of COMMIT_FIELDS) if ((commit[field] as string | null) === null) refuse(field, 'must not be null')
}

/**
 * The records of a commit. Rows without a field that a later contract version requires are apart from the others, because all
 * records of a delivery have one version.
 */
async function readCommit(rows: readonly KindRows[], { sha }: Commit): Promise<readonly CommitPart[]> {
  const [current, earlier] = [new CommitPart(), new CommitPart()]
  for (const kindRows of rows) {
    await kindRows.assertNoneBefore(sha)
    const { kind } = kindRows
    const later = kind.fields.filter(
      ({ since, optional, conditional }) => since > 1 && !optional && conditional === undefined,
    )
    for (
      let row = await kindRows.next(sha);
      row !== undefined;
      row = kindRows.nextOfPage(sha) ?? (await kindRows.next(sha))
    ) {
      const hasAll = later.every(({ name }) => (row?.[name] ?? null) !== null)
      ;(hasAll ? current : earlier).add(kindRows, row)
    }
  }
  return earlier.lines.records === 0 ? [current] : current.lines.records === 0 ? [earlier] : [current, earlier]
}

type BatchFacts = Pick<CopyBatch, 'commit' | 'position'> & { readonly description: string }

class CommitPart {
  readonly lines = new BatchLines()
  /** The table of the lines up to the next entry. */
  readonly #tables: { readonly table: string; readonly firstLine: number }[] = []

  add({ kind, write }: KindRows, row: StoredRow): void {
    if (this.#tables.at(-1)?.table !== kind.table)
      this.#tables.push({ table: kind.table, firstLine: this.lines.records + 1 })
    this.lines.add(write(row), row.measurement_id)
  }

  batch({ commit, position, description }: BatchFacts): CopyBatch {
    const { lines } = this
    const { records, storedIds } = lines
    const placeOf = (line: number): string =>
      `${this.#tables.findLast(({ firstLine }) => firstLine <= line)?.table} ${storedIds[line - 1]}`
    return { commit, lines: lines.source(`${commit.sha} of ${description}`), records, storedIds, placeOf, position }
  }
}

/** The rows of one kind, read page by page. */
class KindRows {
  readonly write: (row: StoredRow) => string
  readonly #pages: AsyncIterator<readonly StoredRow[]>
  #page: readonly StoredRow[] = []
  #at = 0
  #isEnded = false

  constructor(
    readonly kind: Kind,
    pages: AsyncIterable<readonly StoredRow[]>,
  ) {
    this.#pages = pages[Symbol.asyncIterator]()
    this.write = lineWriter(kind)
  }

  /** The next row of a commit; undefined after its last. */
  async next(sha: string): Promise<StoredRow | undefined> {
    await this.#fill()
    return this.nextOfPage(sha)
  }

  /** Like `next`, but only in the page that is in memory. */
  nextOfPage(sha: string): StoredRow | undefined {
    return this.#page[this.#at]?.['commit_sha'] === sha ? this.#page[this.#at++] : undefined
  }

  /** @param sha undefined after the last commit */
  async assertNoneBefore(sha: string | undefined): Promise<void> {
    await this.#fill()
    const row = this.#page[this.#at]
    const commit = row?.['commit_sha'] ?? ''
    if (row === undefined || (sha !== undefined && commit >= sha)) return
    const message = `${this.kind.table} ${row.measurement_id}: its commit_sha ${JSON.stringify(commit)} is not in commits`
    throw new IngestError('bad_data', message, { hint: 'add the commit to the source, or delete the row there' })
  }

  async close(): Promise<void> {
    await this.#pages.return?.()
  }

  async #fill(): Promise<void> {
    while (this.#at === this.#page.length && !this.#isEnded) {
      const next = await this.#pages.next()
      this.#isEnded = next.done === true
      this.#page = next.done === true ? [] : next.value
      this.#at = 0
    }
  }
}
