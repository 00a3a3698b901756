/** Prints the result of `validate`: findings while it checks, and a summary at the end. */

import { contractVersionOf, type Inspection } from '../../../source/inspect.js'
import type { Rejection, Warning } from '../../../source/rejection.js'
import { LongList } from '../../output/long-list.js'
import { count, plural, rejectionLine, warningLine, type Report } from '../../output/report.js'

export type Validated = {
  readonly inspections: readonly Inspection[]
  readonly rejected: number
  readonly stoppedEarly: boolean
  readonly exitCode: number
}

/** An output format of the result. Findings are printed as they come, so that memory stays flat. */
export interface Printer {
  rejection(rejection: Rejection): void
  warning(warning: Warning): void
  /** Ends the output after an error that stopped the check. */
  fail(error: unknown): void
  done(validated: Validated): void
}

export class HumanPrinter implements Printer {
  #warnings = 0
  readonly #list: LongList

  constructor(private readonly report: Report) {
    this.#list = new LongList(report, 'stdout', 'more rejected lines and warnings')
  }

  rejection(rejection: Rejection): void {
    this.#list.next()
    this.report.flaw('error', rejectionLine(rejection))
  }

  warning(warning: Warning): void {
    this.#warnings++
    this.#list.next()
    this.report.flaw('warning', warningLine(warning))
  }

  /** Ends the list. The caller reports the error itself afterwards. */
  fail(): void {
    this.#list.end()
  }

  done({ inspections, rejected, stoppedEarly }: Validated): void {
    this.#list.end()
    const { records, counts, versions } = totalsOf(inspections)
    const where = inspections.length === 1 ? (inspections[0]?.source ?? '') : plural(inspections.length, 'file')
    const warned = this.#warnings === 0 ? '' : `, ${plural(this.#warnings, 'warning')}`
    const spoken = versions.length === 0 ? '' : `, ${versionsText(versions)}`
    if (stoppedEarly)
      this.report.verdict(false, 'invalid:', `stopped after ${plural(rejected, 'rejected line')} in ${where}`)
    else if (rejected > 0) {
      const all = `${count(rejected)} of ${plural(records + rejected, 'line')} rejected in ${where}${spoken}${warned}`
      this.report.verdict(false, 'invalid:', all)
    } else this.report.verdict(true, 'valid:', `${plural(records, 'record')} in ${where}${spoken}${warned}`)
    for (const [kind, number] of counts) this.report.result(`  ${kind.padEnd(20)} ${count(number).padStart(11)}`)
  }
}

export type ValidatedTotals = {
  readonly lines: number
  readonly records: number
  /** Number of records by kind name. */
  readonly counts: ReadonlyMap<string, number>
  /** The contract versions of the files that have records, the lowest first. */
  readonly versions: readonly number[]
}

/** Contract versions as text: `contract version 3`, `contract versions 1, 3`. */
export function versionsText(versions: readonly number[]): string {
  return `contract version${versions.length === 1 ? '' : 's'} ${versions.join(', ')}`
}

export function totalsOf(inspections: readonly Inspection[]): ValidatedTotals {
  const counts = new Map<string, number>()
  for (const inspection of inspections)
    for (const [kind, number] of inspection.counts) counts.set(kind, (counts.get(kind) ?? 0) + number)
  const sum = (of: (inspection: Inspection) => number): number => inspections.reduce((total, one) => total + of(one), 0)
  const versions = new Set(inspections.flatMap(inspection => contractVersionOf(inspection) ?? []))
  return {
    lines: sum(one => one.lines),
    records: sum(one => one.records),
    counts,
    versions: [...versions].sort((a, b) => a - b),
  }
}
