/** The JSON report of `validate` (schemas/v1/validate-report.json). */

import type { ValidateReport } from '../../../reports/records.js'
import type { Rejection } from '../../../source/rejection.js'
import type { ValidateResult } from '../../../source/validate.js'
import { JsonArrayReport, type TextSink } from '../../output/json-array-report.js'
import { rejectsReport } from '../../output/rejects-report.js'
import type { Printer } from './human.js'

export class JsonPrinter implements Printer {
  #rejections: JsonArrayReport<ValidateReport, 'rejections'>

  constructor(
    to: TextSink,
    private readonly acceptedFile?: string,
  ) {
    this.#rejections = new JsonArrayReport(to, 'rejections')
  }

  rejection(rejection: Rejection): void {
    this.#rejections.element(rejection)
  }

  fail(error: unknown): void {
    this.#rejections.fail(error)
  }

  done(
    { isValid, stoppedEarly, lines, records, rejected, kinds, files, warned, warnings, rejects }: ValidateResult,
    exitCode: number,
  ): void {
    this.#rejections.end({
      ...{ command: 'validate', exit_code: exitCode, valid: isValid, stopped_early: stoppedEarly },
      ...{ lines, records, rejected, accepted_file: this.acceptedFile ?? null, rejects: rejectsReport(rejects) },
      kinds: Object.fromEntries(kinds),
      files: files.map(({ contractVersion, ...file }) => ({ ...file, contract_version: contractVersion ?? null })),
      ...{ warned, warnings },
    })
  }
}
