/** The result of push, drain and recover, made from their events. Reports format it and compute nothing. */

import type { UsedSetting } from '../database/tunables.js'
import { weakerMode, type PiiMode } from '../contract/pii-mode.js'
import { isStateFailure } from '../errors.js'
import { AnswerLost } from '../http/connection-error.js'
import type { TimedRetry } from '../http/retry.js'
import { type KindReceipt, type Receipt, supersededCount } from '../source/delivery.js'
import { mergeDowngrades, type Downgrade } from '../source/downgrade.js'
import type { AuditRow } from '../state/audit.js'
import type { Range } from '../state/intent.js'
import type { AppliedEvent, DeliveryEvent, Failure, TargetEvent } from './events.js'
import { Notes } from '../source/rejection.js'
import type { SavedRejects } from '../source/rejects.js'
import type { Target } from './target.js'
import { decide, type Requirements } from './verdict.js'
import { monotonicMs } from '../monotonic-time.js'

/**
 * `nothing new`: the outbox held no records for the target. `queued`: records stay in the outbox for the next push or
 * drain. `removed`: an operator removed the target before everything was delivered.
 */
type TargetStatus = 'delivered' | 'nothing new' | 'queued' | 'failed' | 'removed'

/** Numbers of records. `unchanged` is the part of `updated` that was not rewritten, `superseded` a part of `unchanged`. */
export type Totals = Omit<KindReceipt, 'kind'>

type FileReceipt = Receipt & {
  readonly source: string
  readonly retries: number
  /** Number of delivered records per kind name. */
  readonly counts: ReadonlyMap<string, number>
}

/** The part of a target's result that only exists with state. */
export type OutboxResult = {
  /** The last contiguous range of sequence numbers that this command delivered; undefined when nothing was delivered. */
  readonly delivered: Range | undefined
  /** The records that this command enqueued were delivered by another command that ran at the same time. */
  readonly byAnother: boolean
  /** Number of records in the outbox that the target does not have. */
  readonly queued: number
  /** Audit rows of this command: one per recovered delivery, and one each time another process took over the lease. */
  readonly audited: readonly AuditRow[]
  readonly warnings: readonly string[]
}

/** The result of one target. The totals include the stored chunks of a file that failed. */
export type TargetResult = Totals & {
  readonly name: string
  readonly kind: string
  readonly id: string
  /** The target in words, without secrets. */
  readonly description: string
  /** Whether a failure of this target fails the command. */
  readonly isRequired: boolean
  readonly status: TargetStatus
  /** One receipt per file, or part of the outbox, that was delivered completely. */
  readonly receipts: readonly FileReceipt[]
  /** The chunks of the failed file that are stored nevertheless. */
  readonly partial: Receipt | undefined
  /** Totals per kind; empty for a target that does not report them. */
  readonly kinds: readonly KindReceipt[]
  /** Delivered records per kind name. */
  readonly counts: ReadonlyMap<string, number>
  /** Number of transactions or envelopes that became durable. */
  readonly chunks: number
  /** Number of attempts: successful ones, retries, and the one that finally failed. */
  readonly attempts: number
  /** Failed attempts that were retried. */
  readonly retries: readonly TimedRetry[]
  /** Number of retries after a lost answer. Their records may have been stored before they were sent again. */
  readonly lostAnswers: number
  /** Time between attempts in milliseconds. */
  readonly waitedMs: number
  /** Time spent on this target in milliseconds, including waiting for it. */
  readonly durationMs: number
  /** Fields and records left out because the target has an older contract version; undefined when nothing was. */
  readonly downgrade: Downgrade | undefined
  /** The write settings of the last delivery; undefined when there was none, or when the target has no settings. */
  readonly settings: readonly UsedSetting[] | undefined
  /** Whether the target orders deliveries; undefined when nothing was delivered, and for a target that replaces nothing. */
  readonly isOrdered: boolean | undefined
  /** The way in which personal data was treated in everything that was delivered; undefined when nothing was. */
  readonly pii: PiiMode | undefined
  /** Undefined without state. */
  readonly outbox: OutboxResult | undefined
  /** The failure that stopped delivery; undefined when there was none. */
  readonly error?: unknown
  /** The file that failed, or `the outbox`. Files after it were not attempted. */
  readonly failedSource?: string | undefined
}

/** The part of a result that push, drain and recover share. */
export type DeliveryResult = {
  readonly exitCode: number
  /** A required target was down, and `allowFailure` turned the exit code into 0. */
  readonly isForgiven: boolean
  readonly targets: readonly TargetResult[]
  /** The target that decides the exit code: the first required target, otherwise the first one. */
  readonly deciding: TargetResult | undefined
  /** Rejected lines and warnings about lines. When a line is rejected, nothing is sent and `targets` is empty, unless `rejects` is set. */
  readonly notes: Notes
  /** Where the rejected lines are; undefined unless the push delivered the others. */
  readonly rejects: SavedRejects | undefined
  /** Problems that did not stop the command. */
  readonly warnings: readonly string[]
  readonly durationMs: number
}

/** The state of one target according to the events so far. */
export type TargetProgress = {
  target: Target
  readonly receipts: FileReceipt[]
  readonly retries: TimedRetry[]
  /** Number of retries before the current delivery. */
  retriesBefore: number
  durationMs: number
  settings: readonly UsedSetting[] | undefined
  delivered: Range | undefined
  queued: number
  readonly audited: AuditRow[]
  readonly warnings: string[]
  isRemoved: boolean
  /** As registered when the command ended; undefined until then. */
  isRequired: boolean | undefined
  failure: Failure | undefined
}

export type ReducerOptions = Requirements & { readonly hasOutbox: boolean }

/** Reduces the events of one command to its result. */
export class ResultReducer {
  readonly notes = new Notes()
  readonly #targets = new Map<string, TargetProgress>()
  readonly #warnings: string[] = []
  readonly #startedAt = monotonicMs()
  #hasNew = false
  #rejects: SavedRejects | undefined

  constructor(private readonly options: ReducerOptions) {}

  apply(event: DeliveryEvent): void {
    if (event.type === 'line-rejected') this.notes.reject(event.rejection)
    else if (event.type === 'line-warned') this.notes.warn(event.warning)
    else if (event.type === 'warned') this.#warnings.push(event.message)
    else if (event.type === 'rejects-saved') this.#rejects = event.rejects
    else if (event.type === 'enqueued') this.#hasNew = event.hasNew
    else if (changesResult(event)) note(this.#progressOf(event.target), event)
  }

  #progressOf(target: Target): TargetProgress {
    const { id } = target.opener
    const progress = this.#targets.get(id) ?? beginning(target)
    this.#targets.set(id, progress)
    return progress
  }

  result(): DeliveryResult {
    const progress = [...this.#targets.values()]
    const { exitCode, isForgiven, required } = decide(progress, {
      ...this.options,
      rejections: this.#rejects !== undefined ? 'allowed' : this.notes.rejected > 0 ? 'fatal' : 'none',
    })
    const targets = progress.map(one =>
      this.#targetResult(one, required.has(one) || isStateFailure(one.failure?.error)),
    )
    return {
      exitCode,
      isForgiven,
      targets,
      deciding: targets.find(({ isRequired }) => isRequired) ?? targets[0],
      notes: this.notes,
      rejects: this.#rejects,
      warnings: this.#warnings,
      durationMs: monotonicMs() - this.#startedAt,
    }
  }

  #targetResult(progress: TargetProgress, isRequired: boolean): TargetResult {
    const { target, receipts, retries, failure, durationMs, settings } = progress
    const { name, kind, opener } = target
    const partial = failure?.partial
    const stored = partial === undefined ? receipts : [...receipts, partial]
    const outbox = this.options.hasOutbox ? this.#outboxResult(progress) : undefined
    const chunks = stored.reduce((all, one) => all + one.chunks, 0)
    return {
      ...{ name, kind, id: opener.id, description: opener.description, isRequired },
      status: statusOf(progress, outbox),
      ...totalReceipts(stored),
      ...{ receipts, partial, kinds: totalKinds(stored), counts: partial === undefined ? totalCounts(receipts) : NONE },
      ...{ chunks, attempts: chunks + retries.length + (failure === undefined ? 0 : 1), retries, durationMs, settings },
      lostAnswers: retries.filter(({ error }) => error instanceof AnswerLost).length,
      waitedMs: Math.round(retries.reduce((all, { waitMs }) => all + waitMs, 0)),
      isOrdered: areOrdered(stored),
      pii: weakestMode(stored),
      downgrade: mergeDowngrades(stored.map(({ downgrade }) => downgrade)),
      outbox,
      ...(failure !== undefined && { error: failure.error, failedSource: failure.source }),
    }
  }

  #outboxResult({ delivered, queued, audited, warnings, failure, isRemoved }: TargetProgress): OutboxResult {
    // There were new records, but nothing was left to deliver.
    const byAnother = this.#hasNew && failure === undefined && delivered === undefined && !isRemoved
    return { delivered, byAnother, queued, audited, warnings }
  }
}

const NONE: ReadonlyMap<string, number> = new Map()

function beginning(target: Target): TargetProgress {
  return {
    ...{ target, receipts: [], retries: [], retriesBefore: 0, durationMs: 0, settings: undefined },
    ...{ delivered: undefined, queued: 0, audited: [], warnings: [] },
    ...{ isRemoved: false, isRequired: undefined, failure: undefined },
  }
}

type ResultEvent = Exclude<TargetEvent, { readonly type: 'opened' | 'expected' | 'read' | 'not-applied' }>

/** Whether the event is part of the result. A target that was only opened or asked has no result. */
function changesResult(event: TargetEvent): event is ResultEvent {
  return !['opened', 'expected', 'read', 'not-applied'].includes(event.type)
}

function note(progress: TargetProgress, event: ResultEvent): void {
  switch (event.type) {
    case 'began':
      // A target that was removed and registered again is delivered to again. What it got before still counts.
      return assign(progress, { settings: undefined, queued: 0, isRemoved: false, failure: undefined })
    case 'sending':
      return assign(progress, { settings: event.settings, retriesBefore: progress.retries.length })
    case 'retried':
      return void progress.retries.push({ error: event.error, waitMs: event.waitMs, at: event.at })
    case 'applied':
      return noteReceipt(progress, event)
    case 'recovered':
    case 'overtaken':
      return void progress.audited.push(event.row)
    case 'target-warned':
      return void progress.warnings.push(event.message)
    case 'queued':
      return assign(progress, { queued: event.records })
    case 'removed':
      return assign(progress, { isRemoved: true, queued: 0, failure: undefined })
    case 'registration-read':
      return assign(progress, { isRequired: event.isRequired })
    case 'failed':
      return assign(progress, { failure: { source: event.source, error: event.error, partial: event.partial } })
    case 'ended':
      return assign(progress, { target: event.target, durationMs: progress.durationMs + event.durationMs })
  }
}

function assign(progress: TargetProgress, change: Partial<TargetProgress>): void {
  Object.assign(progress, change)
}

function noteReceipt(progress: TargetProgress, { source, counts, receipt, range }: AppliedEvent): void {
  const { receipts, retries, retriesBefore, delivered } = progress
  receipts.push({ ...receipt, source, counts, retries: retries.length - retriesBefore })
  if (range === undefined) return
  const continues = delivered !== undefined && delivered.until === range.since
  progress.delivered = { since: continues ? delivered.since : range.since, until: range.until }
}

function statusOf({ isRemoved, failure }: TargetProgress, outbox: OutboxResult | undefined): TargetStatus {
  if (isRemoved) return 'removed'
  if (failure !== undefined) return outbox === undefined || outbox.queued === 0 ? 'failed' : 'queued'
  const isIdle = outbox !== undefined && outbox.delivered === undefined && !outbox.byAnother
  return isIdle ? 'nothing new' : 'delivered'
}

export function totalReceipts(receipts: readonly Receipt[]): Totals {
  const sum = (key: 'records' | 'inserted' | 'updated'): number => receipts.reduce((all, one) => all + one[key], 0)
  const { unchanged } = total(receipts.flatMap(({ kinds }) => kinds))
  const superseded = supersededCount(receipts.reduce((all, one) => all + (one.superseded ?? 0), 0))
  return { records: sum('records'), inserted: sum('inserted'), updated: sum('updated'), unchanged, ...superseded }
}

function totalKinds(receipts: readonly Receipt[]): readonly KindReceipt[] {
  const all = receipts.flatMap(({ kinds }) => kinds)
  const names = [...new Set(all.map(({ kind }) => kind))]
  return names.map(name => ({ kind: name, ...total(all.filter(({ kind }) => kind === name)) }))
}

function total(parts: readonly Totals[]): Totals {
  const sum = (key: keyof Totals): number => parts.reduce((all, part) => all + (part[key] ?? 0), 0)
  const counts = { records: sum('records'), inserted: sum('inserted'), updated: sum('updated') }
  return { ...counts, unchanged: sum('unchanged'), ...supersededCount(sum('superseded')) }
}

function totalCounts(receipts: readonly FileReceipt[]): ReadonlyMap<string, number> {
  const all = new Map<string, number>()
  for (const [kind, records] of receipts.flatMap(({ counts }) => [...counts]))
    all.set(kind, (all.get(kind) ?? 0) + records)
  return all
}

function weakestMode([first, ...others]: readonly Receipt[]): PiiMode | undefined {
  return first && others.reduce((mode, { pii }) => weakerMode(mode, pii), weakerMode(first.pii, 'drop'))
}

function areOrdered(receipts: readonly Receipt[]): boolean | undefined {
  const known = receipts.flatMap(({ isOrdered }) => isOrdered ?? [])
  return known.length === 0 ? undefined : known.every(isOrdered => isOrdered)
}
