/** Finds the deliveries that a stored value, or the values of a commit, come from. */

import { isFullSha } from '../../contract/commit.js'
import { isNewerGeneration, type Generation } from '../../contract/generation.js'
import { CONTRACT } from '../../contract/kinds.js'
import { quote } from '../../contract/problem.js'
import type { StoredDelivery } from '../../database/queries/deliveries.js'
import { IngestError } from '../../errors.js'
import type { DeliveryEntry, LineageReport } from '../../reports/lineage.js'
import type { LookUp } from '../commit-reader.js'

export type Lineage = Pick<LineageReport, 'commit' | 'measurement' | 'deliveries'>

/** A database, server, state or archive with deliveries. */
export interface LineageReader {
  /** The place in words, without secrets. */
  readonly description: string
  /** @returns undefined when no measurement with this id is stored there */
  ofMeasurement(id: string): Promise<Lineage | undefined>
  /**
   * @param name a full commit id, its first digits, or a name that `lookUp` resolves
   * @returns undefined when the commit is not stored there
   */
  ofCommit(name: string, lookUp: LookUp): Promise<Lineage | undefined>
  close(): Promise<void>
}

/** A number with fewer digits is the start of a commit id. Fewer than one measurement id in ten million is that short. */
const MIN_ID_DIGITS = 12

/**
 * @param name a measurement id, or the name of a commit
 * @throws {IngestError} `no_input` when nothing is known
 */
export async function findLineage(reader: LineageReader, name: string, lookUp: LookUp): Promise<Lineage> {
  const isId = /^-?\d{1,19}$/.test(name) && (name.startsWith('-') || name.length >= MIN_ID_DIGITS)
  const found = isId ? await reader.ofMeasurement(BigInt(name).toString()) : await reader.ofCommit(name, lookUp)
  if (found !== undefined && found.deliveries.length > 0) return found
  const what = isId ? `measurement ${name}` : `commit ${quote(name)}`
  if (found === undefined)
    throw new IngestError('no_input', `${reader.description} has no ${what}`, {
      hint: '`vortex-ingest id FILE` prints the ids of records; a number with fewer than 12 digits is read as the start of a commit id',
    })
  throw new IngestError('no_input', `${reader.description} has the ${what}, but does not say where it comes from`, {
    hint: 'it was written before deliveries were stored, by another program, or its deliveries were pruned',
  })
}

export function toDeliveryEntry(delivery: StoredDelivery): DeliveryEntry {
  const { id, stored, ci, origin, producedAt, appliedAt, records, contractVersion } = delivery
  return {
    ...{ id, stored: stored ?? null, benchmark_id: origin?.benchmarkId ?? null },
    ...{ producer: ci?.producer ?? null, run: ci?.run ?? null, attempt: ci?.attempt ?? null },
    ...{ run_url: origin?.runUrl ?? null, produced_at: producedAt ?? null, applied_at: appliedAt ?? null },
    sources: (origin?.sources ?? []).map(({ name, hash, firstLine, lastLine }) => ({
      ...{ name, hash: hash ?? null, first_line: firstLine, last_line: lastLine },
    })),
    ...{
      source_count: origin?.sourceCount ?? 0,
      records: records === undefined ? null : inContractOrder(records),
      tool_version: origin?.tool ?? null,
    },
    ...{ contract_version: contractVersion ?? null, target: origin?.target ?? null },
  }
}

function inContractOrder(records: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(CONTRACT.kinds.flatMap(({ kind }) => (kind in records ? [[kind, records[kind]!]] : [])))
}

/** A delivery of a place that has no database, in the order in which such places are read. */
export type ReadDelivery = Omit<StoredDelivery, 'producedAt' | 'ci'> & { readonly generation: Generation | undefined }

/**
 * The newest delivery of a measurement first, which has the value. A later one is not newer if it is an earlier attempt of the same CI
 * project.
 * @param deliveries from the first to the last that the place has
 */
export function newestFirst(deliveries: readonly ReadDelivery[]): readonly DeliveryEntry[] {
  const isStale = ({ generation }: ReadDelivery, index: number): boolean =>
    deliveries.slice(0, index).some(other => isLaterAttempt(other.generation, generation))
  const holder = deliveries.findLastIndex((delivery, index) => !isStale(delivery, index))
  const entries = deliveries.map(({ generation, ...delivery }, index) => {
    const facts = {
      ...delivery,
      ci: generation?.ci,
      producedAt: generation?.producedAt,
      stored: index === holder ? 1 : 0,
    }
    return toDeliveryEntry(facts)
  })
  const others = entries.toSpliced(holder, 1).toReversed()
  return holder === -1 ? others : [entries[holder]!, ...others]
}

function isLaterAttempt(one: Generation | undefined, other: Generation | undefined): boolean {
  return one?.ci !== undefined && one.ci.producer === other?.ci?.producer && isNewerGeneration(one, other)
}

/** Finds the commit that a name means among those of a place. @throws {IngestError} `usage` for the start of several ids */
export async function resolveCommitName(
  name: string,
  startingWith: (prefix: string) => Promise<readonly string[]>,
  lookUp: LookUp,
): Promise<string | undefined> {
  const prefix = name.toLowerCase()
  const found = /^[0-9a-f]{4,40}$/.test(prefix) ? await startingWith(prefix) : []
  if (found.length > 1) {
    const hint = 'give more digits of the commit id'
    throw new IngestError(
      'usage',
      `${name} is ambiguous, several commits begin with it: ${found.slice(0, 3).join(', ')}`,
      { hint },
    )
  }
  return found[0] ?? (isFullSha(prefix) ? undefined : lookUp(name))
}
