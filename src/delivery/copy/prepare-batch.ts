/** Validates a batch before it is delivered, and compares the ids of its records with the stored ones. */

import type { Hash64 } from '../../contract/hash64.js'
import { IngestError } from '../../errors.js'
import { createIdentifier } from '../../source/identify.js'
import { inspect, type Inspection } from '../../source/inspect.js'
import type { RecordBatch } from '../../source/record-batch.js'
import { acceptedSource, LineSet } from '../../source/rejected-lines.js'
import type { Rejection } from '../../source/rejection.js'
import type { Source } from '../../source/source.js'
import { CORRECT_HINT, type CopyBatch } from './copy-source.js'

/** A row whose stored id is not the id of its dimensions. */
export type IdMismatch = { readonly table: string; readonly storedId: string; readonly id: string }

export type PrepareOptions = {
  readonly hash: Hash64
  /** Whether records keep their stored ids, also where those are not the ids of their dimensions. */
  readonly trustIds: boolean
  readonly onMismatch: (mismatch: IdMismatch) => void
  readonly signal: AbortSignal
}

export type PreparedBatch = {
  readonly batch: CopyBatch
  /** The lines without those whose id differs, unless ids are trusted. */
  readonly lines: Source
  readonly inspection: Inspection
  readonly identify: (batch: RecordBatch) => void
}

/** @throws {IngestError} `bad_data` for the first record that breaks the contract */
export async function prepareBatch(batch: CopyBatch, options: PrepareOptions): Promise<PreparedBatch> {
  const { storedIds } = batch
  const { hash, trustIds, signal } = options
  const identify = createIdentifier(hash)
  const differing = new LineSet()
  const compare = (rows: RecordBatch): void => {
    for (let row = 0; row < rows.count; row++) {
      const line = rows.lines[row]!
      const storedId = storedIds?.[line - 1]
      if (storedId === undefined || storedId === rows.ids[row]) continue
      differing.add(line)
      options.onMismatch({ table: rows.kindOf(row).table, storedId: String(storedId), id: String(rows.ids[row]) })
    }
  }
  const inspecting = {
    commitSha: batch.commit.sha,
    oneCommit: true,
    onRejection: refuse(batch),
    onWarning: ignore,
    signal,
  }
  const inspection = await inspect(batch.lines, { ...inspecting, identify, onBatch: compare })
  if (differing.size === 0) return { batch, lines: batch.lines, inspection, identify }
  if (trustIds) return { batch, lines: batch.lines, inspection, identify: storedIdentifier(storedIds!) }
  const lines = acceptedSource({ source: batch.lines, linesBefore: 0 }, differing)
  return { batch, lines, inspection: await inspect(lines, inspecting), identify }
}

/** Gives each record the stored id of its line. */
function storedIdentifier(storedIds: BigInt64Array): (batch: RecordBatch) => void {
  return batch => {
    for (let row = 0; row < batch.count; row++) batch.ids[row] = storedIds[batch.lines[row]! - 1]!
  }
}

function refuse(batch: CopyBatch): (rejection: Rejection) => never {
  return ({ line, pointer, message }) => {
    const [column = '', ...path] = pointer.split('/').slice(1)
    const where = column === '' ? '' : `, column ${column}`
    const problem = message.startsWith(`/${column} `) && path.length === 0 ? message.slice(column.length + 2) : message
    throw new IngestError('bad_data', `${batch.placeOf(line)}${where}: ${problem}`, { hint: CORRECT_HINT })
  }
}

const ignore = (): void => undefined
