/** Prints the result of `validate`: findings while it checks, and a summary at the end. */

import { Notes, type Rejection, type Warning } from '../../../source/rejection.js'
import type { ValidateResult } from '../../../source/validate.js'
import { LongList } from '../../output/long-list.js'
import { rejectPlaces } from '../../output/rejects-report.js'
import { count, plural, rejectionLine, warningLine, type Report } from '../../output/report.js'

/** An output format of the result. Findings are printed as they come, so that memory stays flat. */
export interface Printer {
  rejection?(rejection: Rejection): void
  warning?(warning: Warning): void
  /** Ends the output after an error that stopped the check. */
  fail(error: unknown): void
  done(result: ValidateResult, exitCode: number): void
}

type HumanOptions = {
  /** Maximum number of rejections, and of warnings, that are printed. Default: 20. */
  readonly most?: number | undefined
  readonly acceptedFile?: string | undefined
}

export class HumanPrinter implements Printer {
  readonly #list: LongList
  readonly #most: number
  #rejected = 0
  #warned = 0

  constructor(
    private readonly report: Report,
    private readonly options: HumanOptions,
  ) {
    this.#list = new LongList(report, 'stdout', 'more rejected lines and warnings')
    this.#most = options.most ?? Notes.SHOWN
  }

  rejection(rejection: Rejection): void {
    if (++this.#rejected > this.#most) return
    this.#list.next()
    this.report.flaw('error', rejectionLine(rejection))
  }

  warning(warning: Warning): void {
    if (++this.#warned > this.#most) return
    this.#list.next()
    this.report.flaw('warning', warningLine(warning))
  }

  /** Ends the list. The caller reports the error itself afterwards. */
  fail(): void {
    this.#endList()
  }

  #endList(): void {
    this.#list.end()
    const [rejected, warned] = [this.#rejected - this.#most, this.#warned - this.#most]
    if (rejected > 0) this.report.flaw('error', `and ${plural(rejected, 'more rejected line')}`)
    if (warned > 0) this.report.flaw('warning', `and ${plural(warned, 'more warning')}`)
  }

  done({
    files,
    isValid,
    rejected,
    warned,
    records,
    kinds,
    contractVersions,
    stoppedEarly,
    rejects,
  }: ValidateResult): void {
    this.#endList()
    const where = files.length === 1 ? (files[0]?.source ?? '') : plural(files.length, 'file')
    const warnings = warned === 0 ? '' : `, ${plural(warned, 'warning')}`
    const spoken = contractVersions.length === 0 ? '' : `, ${versionsText(contractVersions)}`
    if (stoppedEarly)
      this.report.verdict(false, 'invalid:', `stopped after ${plural(rejected, 'rejected line')} in ${where}`)
    else if (!isValid) {
      const all = `${count(rejected)} of ${plural(records + rejected, 'line')} rejected in ${where}${spoken}${warnings}`
      this.report.verdict(false, 'invalid:', all)
    } else this.report.verdict(true, 'valid:', `${plural(records, 'record')} in ${where}${spoken}${warnings}`)
    for (const [kind, number] of kinds) this.report.result(`  ${kind.padEnd(20)} ${count(number).padStart(11)}`)
    if (this.options.acceptedFile !== undefined)
      this.report.result(`accepted lines are in ${this.options.acceptedFile}`)
    if (rejects !== undefined) this.report.result(`rejected lines are in ${rejectPlaces(rejects)}`)
    if (Math.max(this.#rejected, this.#warned) > this.#most)
      this.report.hint('--format json lists every rejected line, and the first 1,000 warnings')
  }
}

/** Contract versions as text: `contract version 3`, `contract versions 1, 3`. */
export function versionsText(versions: readonly number[]): string {
  return `contract version${versions.length === 1 ? '' : 's'} ${versions.join(', ')}`
}
