/** `status`: shows the content of the state and the undelivered records per target. Changes nothing and works on damaged state. */

import { requiredStateConfig, type StateFlags } from '../../../config/state.js'
import { EXIT } from '../../../errors.js'
import { readFailingTargets, type Health } from '../../../state/health.js'
import type { Intent } from '../../../state/intent.js'
import { journalEventDocument } from '../../../state/journal-event.js'
import { isOwnerGone } from '../../../state/lease.js'
import type { State } from '../../../state/state.js'
import { prunedText, readWatermark } from '../../../state/watermark.js'
import { lagDocument } from '../../../state/target-overview.js'
import { summarizeState, type Lag, type StateSummary } from '../../../state/state-summary.js'
import type { Action, Context, Format } from '../../context.js'
import { openConfiguredState } from '../../options/open-state.js'
import { rangeText } from '../push/human.js'
import { count, plural, type Report } from '../../output/report.js'
import { oneLine } from '../../../visible-text.js'
import type { StatusReport } from '../../../reports/state.js'

export type StatusFlags = StateFlags & { readonly format: Format }

const AUDIT_ROWS = 5

export const runStatus: Action<StatusFlags> = async (_, flags, context) => {
  const { env, report, now } = context
  const state = await openConfiguredState(requiredStateConfig(flags, env), context)
  try {
    const found = await summarizeState(state.storage, AUDIT_ROWS)
    const problems = [...found.problems]
    const failing = await failingTargets(state, found, problems)
    const exitCode = problems.length === 0 ? EXIT.done : EXIT.config
    const told = { place: state.storage.description, now, failing }
    if (flags.format === 'json') report.json<StatusReport>(statusReport({ ...found, problems }, { ...told, exitCode }))
    else printStatus(report, { ...found, problems }, { ...told, cutOff: await cutOffIn(state, found) })
    for (const problem of problems) report.warning(problem)
    return exitCode
  } finally {
    await state.storage.close()
  }
}

type Told = Pick<Context, 'now'> & { readonly place: string; readonly failing: ReadonlyMap<string, Health> }

/** The targets that lack records because their last delivery failed. Adds journal objects that cannot be read to the problems. */
function failingTargets(state: State, { lags }: StateSummary, problems: string[]): Promise<Told['failing']> {
  const targets = lags.filter(({ oldest }) => oldest !== undefined).map(({ target }) => target)
  // The problems already include a registry that cannot be read.
  return readFailingTargets(state, targets, message => problems.push(message)).catch(() => new Map())
}

function statusReport(
  found: StateSummary,
  { exitCode, place, now, failing }: Told & { readonly exitCode: StatusReport['exit_code'] },
): StatusReport {
  return {
    command: 'status',
    exit_code: exitCode,
    state: place,
    commits: found.partitions,
    records: found.records,
    bytes: found.bytes,
    targets: found.lags.map(lag => ({
      target: lag.target.description,
      kind: lag.target.kind,
      lag: {
        ...lagDocument(lag),
        age_seconds: lag.oldest === undefined ? 0 : Math.max(0, Math.round(ageMs(lag, now) / 1000)),
      },
      ...failureFields(failing.get(lag.target.id)),
    })),
    rejected: found.rejected,
    intents: found.intents.map(({ id, target, partition, since, until, at }) => ({
      id,
      target,
      partition,
      since,
      until,
      at,
    })),
    audit: found.audit,
    problems: found.problems,
  }
}

function failureFields(health: Health | undefined): Pick<StatusReport['targets'][number], 'failure' | 'last_error'> {
  const { failure, lastError } = health ?? {}
  return { failure: failure ?? null, last_error: lastError === undefined ? null : journalEventDocument(lastError) }
}

/** Interrupted deliveries: intents whose partition has no lease of a live owner. */
async function cutOffIn(state: State, { intents }: StateSummary): Promise<ReadonlySet<Intent>> {
  const underWay = await Promise.all(intents.map(intent => isLeased(state, intent).catch(() => false)))
  return new Set(intents.filter((_, index) => underWay[index] !== true))
}

async function isLeased(state: State, intent: Intent): Promise<boolean> {
  const { lease } = (await readWatermark(state.storage, intent)).watermark
  return lease !== undefined && !(await isOwnerGone(state, lease.owner, lease.expiresAt))
}

type Shown = Told & { readonly cutOff: ReadonlySet<Intent> }

function printStatus(report: Report, found: StateSummary, { place, now, cutOff, failing }: Shown): void {
  const behind = found.lags.filter(({ oldest }) => oldest !== undefined)
  const lacksPruned = found.lags.some(({ pruned }) => pruned.records > 0)
  const size = `${plural(found.records, 'record')} of ${plural(found.partitions, 'commit')} (${megabytes(found.bytes)}) in ${place}`
  const word =
    found.problems.length > 0 ? 'damaged:' : behind.length > 0 ? 'behind:' : lacksPruned ? 'incomplete:' : 'up to date:'
  if (found.partitions === 0 && found.lags.length === 0 && found.problems.length === 0)
    return report.result(`nothing: no push has used ${place} yet`)
  report.verdict(word === 'up to date:', word, size)
  for (const lag of found.lags) {
    report.result(`  ${lag.target.description}: ${lagText(lag, now)}`)
    const failure = failureText(failing.get(lag.target.id))
    if (failure !== undefined) report.result(`    ${failure}`)
  }
  for (const { pruned, target } of found.lags)
    if (pruned.records > 0) report.warning(prunedText(pruned, target.description))
  const { lines } = found.rejected
  if (lines > 0)
    report.warning(
      `${plural(lines, 'rejected line')} to repair: vortex-ingest state rejects export FILE writes them to a file`,
    )
  for (const intent of found.intents) report.result(`  ${deliveryText(intent, cutOff.has(intent))}`)
  for (const { at, event, target, detail } of found.audit) report.result(`  ${at} ${event} ${target}: ${detail}`)
}

function lagText(lag: Lag, now: () => Date): string {
  if (lag.oldest === undefined) return lag.pruned.records > 0 ? 'has what is left in the state' : 'has everything'
  const age = `the oldest ${duration(ageMs(lag, now))} old`
  return `lacks ${plural(lag.records, 'record')} (${megabytes(lag.bytes)}) of ${plural(lag.partitions, 'commit')}, ${age}`
}

function failureText(health: Health | undefined): string | undefined {
  if (health?.lastError === undefined) return undefined
  const { time, message } = health.lastError
  const words = { down: 'is down', refuses: 'refuses the records until that is corrected' }
  const what = health.failure === undefined ? 'failed' : words[health.failure]
  return oneLine(`${what} (${time}): ${message}`)
}

function deliveryText(intent: Intent, isCutOff: boolean): string {
  const what = `${rangeText(intent)} to ${intent.target}, begun ${intent.at}`
  return isCutOff ? `interrupted: ${what}; the next push or drain delivers it again` : `under way: ${what}`
}

function ageMs({ oldest }: Lag, now: () => Date): number {
  return oldest === undefined ? 0 : now().getTime() - Date.parse(oldest)
}

function duration(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  if (minutes < 1) return `${Math.max(0, Math.round(ms / 1000))} s`
  if (minutes < 120) return `${minutes} min`
  const hours = Math.round(minutes / 60)
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`
}

function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${count(Math.ceil(bytes / 1e3))} kB` : `${count(Math.round(bytes / 1e6))} MB`
}
