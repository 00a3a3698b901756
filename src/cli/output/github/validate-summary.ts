/** The step summary, outputs and annotations of `validate`. */

import { type Rejection, type Warning, Notes } from '../../../source/rejection.js'
import type { ValidateResult } from '../../../source/validate.js'
import type { Annotator } from '../annotator.js'
import type { CiStep } from '../../context.js'
import { count, plural } from '../report.js'
import { versionsText, type Printer } from '../../commands/validate/human.js'
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

  done({ files, rejected, records, kinds, contractVersions }: ValidateResult, exitCode: number): void {
    const spoken = contractVersions.length === 0 ? '' : `, ${versionsText(contractVersions)}`
    const valid = `${plural(records, 'record')} valid`
    const found = rejected > 0 ? `${plural(rejected, 'line')} rejected, ${valid}` : valid
    const rows = [...kinds].map(([kind, number]) => [kind, count(number)])
    const summary = [
      markdownHeading(exitCode, `vortex-ingest validate: ${found} in ${plural(files.length, 'file')}${spoken}`),
      ...(rows.length === 0 ? [] : [markdownTable(['kind', 'records'], rows)]),
      ...rejectionTable(this.#notes),
      ...warningList(this.#notes),
    ]
    this.step.setSummary({ summary: summary.join('\n\n'), outputs: { accepted: records, rejected } })
  }
}
