/** JSON of registered targets, buckets and health, shared by the command line and the HTTP API. */

import type { Bucket } from './buckets.js'
import type { Health } from './health.js'
import { journalEventDocument } from './journal-event-document.js'
import { promotionDocument } from './promotion-document.js'
import type { Lag } from './state-summary.js'
import type { Overview, TargetOverview } from './target-overview.js'
import type { BucketReport, HealthReport } from '../reports/state.js'
import type { LagReport, TargetHealthReport, UnregisteredTargetReport } from '../reports/targets.js'

/** The part of a target's JSON that is not its registration: lag, last success and error, promoted settings. */
export function knownDocument({ lag, lastSuccess, lastError, promotion }: TargetOverview): TargetHealthReport {
  return {
    lag: lagDocument(lag),
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

export function healthDocument({ name, sort, state, errors, lastSuccess, lastError }: Health): HealthReport {
  const last_error = lastError === undefined ? null : journalEventDocument(lastError)
  return { name, sort, state, errors, last_success: lastSuccess ?? null, last_error }
}

function lagDocument(lag: Lag | undefined): LagReport | null {
  if (lag === undefined) return null
  return { records: lag.records, bytes: lag.bytes, commits: lag.partitions, oldest: lag.oldest ?? null }
}
