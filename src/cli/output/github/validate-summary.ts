/** The step summary, outputs and annotations of `validate`. */

import { Notes, type Rejection, type Warning } from '../../../source/rejection.js'
import type { Annotator } from '../annotator.js'
import type { CiStep } from '../../context.js'
import { count, plural } from '../report.js'
import { totalsOf, versionsText, type Printer, type Validated } from '../../commands/validate/human.js'
import { markdownHeading, markdownTable, rejectionTable, warningList } from './markdown.js'

export class GithubPrinter implements Printer {
  readonly #notes = new Notes()

  constructor(
    private readonly step: CiStep,
    private readonly annotator: Annotator,
  ) {}

  rejection(rejection: Rejection): void {
    this.#notes.reject(rejection)
    this.annotator.add('error', rejection.message, rejection)
  }

  warning(warning: Warning): void {
    this.#notes.warn(warning)
    this.annotator.add('warning', warning.message, warning)
  }

  /** Does nothing, because `GithubStep.finish` receives the error too. */
  fail(): void {}

  done({ inspections, rejected, exitCode }: Validated): void {
    const { records, counts, versions } = totalsOf(inspections)
    const spoken = versions.length === 0 ? '' : `, ${versionsText(versions)}`
    const found = rejected > 0 ? `${plural(rejected, 'line')} rejected` : `${plural(records, 'record')} valid`
    const kinds = [...counts].map(([kind, number]) => [kind, count(number)])
    const summary = [
      markdownHeading(exitCode, `vortex-ingest validate: ${found} in ${plural(inspections.length, 'file')}${spoken}`),
      ...(kinds.length === 0 ? [] : [markdownTable(['kind', 'records'], kinds)]),
      ...rejectionTable(this.#notes),
      ...warningList(this.#notes),
    ]
    this.step.setSummary({ summary: summary.join('\n\n'), outputs: { rejected } })
  }
}
