/** What a push says when it is done, for people and as JSON (schemas/v1/push-report.json). */

import type { RunMeta } from '../contract/commit.js'
import type { FileReceipt, Pushed } from '../delivery/push.js'
import type { KindReceipt } from '../sink/sink.js'
import { errorReport } from './error-report.js'
import type { Notes } from './notes.js'
import { count, plural, seconds, type Report } from './report.js'

export type PushOutcome = {
  readonly pushed: Pushed
  readonly notes: Notes
  readonly run: RunMeta
  readonly dryRun: boolean
  readonly durationMs: number
}

type Totals = Omit<KindReceipt, 'kind'>

/** The report of `--format json`. */
export function pushReport({ pushed, notes, run, dryRun, durationMs }: PushOutcome, exitCode: number): object {
  const { inspections, receipts, commit, target, failure } = pushed
  return {
    command: 'push',
    exit_code: exitCode,
    dry_run: dryRun,
    commit: commit?.sha ?? null,
    run,
    target: target ?? null,
    ...(dryRun ? { records: checked(pushed), inserted: 0, updated: 0, unchanged: 0 } : totals(receipts)),
    chunks: receipts.length,
    kinds: kindTotals(receipts),
    files: receipts.map(({ source, kinds, attempts }) => ({ source, attempts, ...sum(kinds) })),
    lines: inspections.reduce((all, { lines }) => all + lines, 0),
    rejected: notes.rejected,
    rejections: notes.rejections,
    warned: notes.warned,
    warnings: notes.warnings,
    failed: failure === undefined ? null : { source: failure.source, ...errorReport(failure.error) },
    duration_ms: Math.round(durationMs),
  }
}

/** Verdict first, then numbers, then what to do. @param besideJson only what belongs on stderr */
export function printHuman(report: Report, outcome: PushOutcome, besideJson: boolean): void {
  const { pushed, notes } = outcome
  for (const warning of notes.warnings) report.lineWarning(warning)
  if (notes.warned > notes.warnings.length)
    report.warning(`and ${count(notes.warned - notes.warnings.length)} more; vortex-ingest validate shows all of them`)
  if (notes.rejected > 0) printRejected(report, outcome)
  else if (!besideJson) printLanded(report, outcome)
  if (pushed.failure === undefined) return
  report.failure(`${pushed.failure.source} did not land; the files before it did`)
  report.error(pushed.failure.error)
}

function printRejected(report: Report, { pushed, notes }: PushOutcome): void {
  for (const rejection of notes.rejections) report.rejection(rejection)
  const bad = pushed.inspections.filter(({ rejected }) => rejected > 0).map(({ source }) => source)
  report.failure(`nothing was sent: ${plural(notes.rejected, 'line')} rejected in ${bad.join(', ')}`)
  if (notes.rejected <= notes.rejections.length) return
  // A push insists on one commit, validate only when it is told which.
  const commitSha = pushed.commitSha === undefined ? '' : ` --commit-sha ${pushed.commitSha}`
  report.hint(`vortex-ingest validate ${bad.join(' ')}${commitSha} shows all of them`)
}

function printLanded(report: Report, { pushed, dryRun, durationMs }: PushOutcome): void {
  const sha = pushed.commit?.sha.slice(0, 7) ?? ''
  if (dryRun) {
    report.verdict(true, 'dry run:', `${plural(checked(pushed), 'record')} of ${sha} would be sent; nothing was`)
    return
  }
  const { records, inserted, updated, unchanged } = totals(pushed.receipts)
  const same = unchanged === 0 ? '' : `, ${count(unchanged)} of them unchanged`
  const numbers = `(${count(inserted)} inserted, ${count(updated)} updated${same})`
  const target = pushed.target ?? ''
  report.verdict(
    true,
    'ingested',
    `${plural(records, 'record')} of ${sha} into ${target} ${numbers} in ${seconds(durationMs)}`,
  )
  for (const kind of kindTotals(pushed.receipts)) report.result(kindLine(kind))
}

function kindLine({ kind, records, inserted, updated }: KindReceipt): string {
  const cell = (value: number, word: string): string => `${count(value).padStart(11)} ${word}`
  return `  ${kind.padEnd(20)} ${cell(records, 'records')} ${cell(inserted, 'inserted')} ${cell(updated, 'updated')}`
}

function checked({ inspections }: Pushed): number {
  return inspections.reduce((all, { records }) => all + records, 0)
}

function totals(receipts: readonly FileReceipt[]): Totals {
  return sum(receipts.flatMap(({ kinds }) => kinds))
}

function kindTotals(receipts: readonly FileReceipt[]): readonly KindReceipt[] {
  const all = receipts.flatMap(({ kinds }) => kinds)
  const names = [...new Set(all.map(({ kind }) => kind))]
  return names.map(name => ({ kind: name, ...sum(all.filter(({ kind }) => kind === name)) }))
}

function sum(parts: readonly Totals[]): Totals {
  const of = (key: keyof Totals): number => parts.reduce((total, part) => total + part[key], 0)
  return { records: of('records'), inserted: of('inserted'), updated: of('updated'), unchanged: of('unchanged') }
}
