/** The JSON report of `validate` (schemas/v1/validate-report.json). */

import { contractVersionOf, type Inspection } from '../../../source/inspect.js'
import type { Rejection, Warning } from '../../../source/rejection.js'
import { JsonArrayReport, type TextSink } from '../../output/json-array-report.js'
import { totalsOf, type Printer, type Validated } from './human.js'
import type { ValidateReport } from '../../../reports/records.js'

/** Maximum number of warnings listed at the end of the document. More warnings are only counted. */
const MAX_WARNINGS = 1_000

export class JsonPrinter implements Printer {
  #rejections: JsonArrayReport<ValidateReport, 'rejections'>
  #warnings: Warning[] = []
  #warned = 0

  constructor(to: TextSink) {
    this.#rejections = new JsonArrayReport(to, 'rejections')
  }

  rejection(rejection: Rejection): void {
    this.#rejections.element(rejection)
  }

  warning(warning: Warning): void {
    this.#warned++
    if (this.#warnings.length < MAX_WARNINGS) this.#warnings.push(warning)
  }

  fail(error: unknown): void {
    this.#rejections.fail(error)
  }

  done({ inspections, rejected, stoppedEarly, exitCode }: Validated): void {
    const { records, counts, lines } = totalsOf(inspections)
    this.#rejections.end({
      command: 'validate',
      exit_code: exitCode,
      valid: rejected === 0,
      stopped_early: stoppedEarly,
      lines,
      records,
      rejected,
      kinds: Object.fromEntries(counts),
      files: inspections.map(fileReport),
      warned: this.#warned,
      warnings: this.#warnings,
    })
  }
}

function fileReport(inspection: Inspection): ValidateReport['files'][number] {
  const { source, lines, records, rejected } = inspection
  return { source, lines, records, rejected, contract_version: contractVersionOf(inspection) ?? null }
}
