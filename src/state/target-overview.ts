/** Overview of registered targets from state alone, and its JSON for the command line and the HTTP API. */

import type { BucketReport, HealthReport } from '../reports/state.js'
import type {
  LagReport,
  RegisteredTargetReport,
  TargetHealthReport,
  UnregisteredTargetReport,
} from '../reports/targets.js'
import { messageOf } from '../errors.js'
import type { Storage } from '../storage/storage.js'
import { readSuccesses, type Health } from './health.js'
import { readJournal } from './journal.js'
import { type JournalEvent, journalEventDocument } from './journal-event.js'
import { activePromotion, readPromotions, type Promotion, promotionDocument } from './promotions.js'
import { readRegistry, type RegisteredTarget } from './registry.js'
import type { State } from './state.js'
import { summarizeState, type Lag } from './state-summary.js'
import type { Bucket } from './buckets.js'

export type TargetOverview = {
  readonly target: RegisteredTarget
  /** Undefined when nothing was ever queued for the target. */
  readonly lag: Lag | undefined
  readonly lastError: JournalEvent | undefined
  /** RFC 3339; undefined when there was no success. */
  readonly lastSuccess: string | undefined
  /** Promotion whose settings apply; undefined when the defaults apply. */
  readonly promotion: Promotion | undefined
}

export type Overview = {
  /** Sorted by name. */
  readonly targets: readonly TargetOverview[]
  /** Targets that were named only by flags and that records are queued for. */
  readonly unregistered: readonly Lag[]
  /** Messages about objects that could not be read. */
  readonly problems: readonly string[]
}

/** @throws {IngestError} when the registry cannot be read; anything else that cannot be read is listed as a problem */
export async function overviewTargets({ storage }: State): Promise<Overview> {
  const problems: string[] = []
  const { targets } = await readRegistry(storage)
  const { lags, problems: unread } = await summarizeState(storage, 0)
  const events = await readJournal(storage, { onDamage: message => problems.push(message) })
  const successes = await readSuccesses(storage, message => problems.push(message))
  const overviews: TargetOverview[] = []
  for (const target of [...targets.values()].sort((left, right) => (left.name < right.name ? -1 : 1))) {
    const isThisTarget = ({ subject, name }: { subject: string; name: string }): boolean =>
      subject === 'target' && name === target.name
    overviews.push({
      target,
      lag: lags.find(lag => lag.target.id === target.identity),
      lastError: events.find(isThisTarget),
      lastSuccess: successes.find(isThisTarget)?.at,
      promotion: await readActivePromotion(storage, target).catch((error: unknown) => {
        problems.push(messageOf(error))
        return undefined
      }),
    })
  }
  const registered = new Set(overviews.map(({ target }) => target.identity))
  const unregistered = lags.filter(({ target }) => !registered.has(target.id))
  return { targets: overviews, unregistered, problems: [...unread, ...problems] }
}

async function readActivePromotion(storage: Storage, { identity }: RegisteredTarget): Promise<Promotion | undefined> {
  return activePromotion(await readPromotions(storage, identity))
}

export function targetDocument(target: RegisteredTarget): RegisteredTargetReport {
  return {
    name: target.name,
    kind: target.kind,
    address: target.address,
    identity: target.identity,
    secret_env: target.secretEnv ?? null,
    required: target.isRequired,
    bucket: target.bucket ?? null,
    insecure_local: target.insecureLocal,
    role_policy: target.rolePolicy ?? null,
    region: target.region ?? null,
    pii: target.options?.['pii'] ?? 'keep',
    added_at: target.addedAt,
  }
}

/** The part of a target's JSON that is not its registration: lag, last success and error, promoted settings. */
export function overviewDocument({ lag, lastSuccess, lastError, promotion }: TargetOverview): TargetHealthReport {
  return {
    lag: lag === undefined ? null : lagDocument(lag),
    last_success: lastSuccess ?? null,
    last_error: lastError === undefined ? null : journalEventDocument(lastError),
    settings: promotion === undefined ? 'defaults' : 'promoted',
    promotion: promotion === undefined ? null : promotionDocument(promotion),
  }
}

/** JSON of targets that were named only by flags. */
export function unregisteredDocuments({ unregistered }: Overview): readonly UnregisteredTargetReport[] {
  return unregistered.map(lag => ({ identity: lag.target.id, kind: lag.target.kind, lag: lagDocument(lag) }))
}

export function bucketDocument({ name, backend, root, isBuiltIn, usedBy }: Bucket): BucketReport {
  return { name, backend, root, built_in: isBuiltIn, used_by: usedBy }
}

export function healthDocument({ lastSuccess, lastError, failure, ...health }: Health): HealthReport {
  const last_error = lastError === undefined ? null : journalEventDocument(lastError)
  return { ...health, failure: failure ?? null, last_success: lastSuccess ?? null, last_error }
}

export function lagDocument({ records, bytes, partitions, oldest, pruned }: Lag): LagReport {
  const queued = { records, bytes, commits: partitions, oldest: oldest ?? null }
  return { ...queued, pruned_records: pruned.records, pruned_commits: pruned.partitions }
}
