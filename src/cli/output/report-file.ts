/** `--report FILE`: writes the JSON report to a file in addition to the printed result. */

import type { Action } from '../context.js'
import { errorDocument } from './error-report.js'
import type { JsonSink } from './json-array-report.js'
import { OutputFile } from './output-file.js'
import type { ErrorReport } from '../../reports/records.js'
import { visibleLines } from '../../visible-text.js'

class ReportFile extends OutputFile implements JsonSink {
  override raw(text: string): void {
    super.raw(visibleLines(text))
  }

  json<Shape extends object = never>(value: NoInfer<Shape>): void {
    this.raw(`${JSON.stringify(value)}\n`)
  }
}

/** Runs `action` with `context.reportFile` if `--report` is given. An error is written as a report too, as on stdout. */
export function withReportFile<Flags extends { readonly report?: string }>(action: Action<Flags>): Action<Flags> {
  return async (args, flags, context) => {
    if (flags.report === undefined) return action(args, flags, context)
    const file = new ReportFile(flags.report, { what: 'the report', inputs: args, failureCode: 'internal' })
    try {
      const exitCode = await action(args, flags, { ...context, reportFile: file }).catch((error: unknown) => {
        if (!file.written) file.json<ErrorReport>(errorDocument(context.signal.aborted ? context.signal.reason : error))
        file.publish()
        throw error
      })
      file.publish()
      return exitCode
    } finally {
      file.discard()
    }
  }
}
