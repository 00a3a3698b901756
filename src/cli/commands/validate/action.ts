/** `validate`: checks every line of every source and sends nothing. */

import { pinnedVersion, type ContractFlags } from '../../../config/contract.js'
import { EXIT } from '../../../errors.js'
import { validate } from '../../../source/validate.js'
import type { Annotator } from '../../output/annotator.js'
import type { Action, CiStep, Context, Format } from '../../context.js'
import { packageVersion } from '../../../package-file.js'
import { JsonPrinter } from './json.js'
import { HumanPrinter, type Printer } from './human.js'

export type ValidateFormat = Format | 'sarif' | 'junit'

export type ValidateFlags = ContractFlags & {
  readonly format: ValidateFormat
  readonly commitSha?: string
  readonly maxRejections?: number
  readonly accepted?: string
  readonly rejects?: string
  readonly requireRecords?: boolean
  readonly report?: string
}

export const runValidate: Action<ValidateFlags> = async (args, flags, context) => {
  const { stdin, signal, watch } = context
  const { commitSha, maxRejections, requireRecords, accepted, rejects } = flags
  const printers = await createPrinters(flags, context)
  const result = await validate(args, {
    ...{ stdin, signal, watch: watch?.reads, commitSha, maxRejections, requireRecords },
    contractVersion: pinnedVersion(flags),
    split: accepted === undefined && rejects === undefined ? undefined : { accepted, rejects },
    onRejection: rejection => printers.forEach(printer => printer.rejection?.(rejection)),
    onWarning: warning => printers.forEach(printer => printer.warning?.(warning)),
  }).catch((error: unknown) => {
    for (const printer of printers) printer.fail(signal.aborted ? signal.reason : error)
    throw error
  })
  const exitCode = result.isValid ? EXIT.done : EXIT.badData
  for (const printer of printers) printer.done(result, exitCode)
  return exitCode
}

async function createPrinters(flags: ValidateFlags, context: Context): Promise<readonly Printer[]> {
  const { ci, report, reportFile } = context
  const printers = [await createPrinter(flags, context)]
  if (reportFile !== undefined) printers.push(new JsonPrinter(reportFile, flags.accepted))
  if (ci !== undefined && report.annotator !== undefined) printers.push(await githubPrinter(ci, report.annotator))
  return printers
}

async function githubPrinter(ci: CiStep, annotator: Annotator): Promise<Printer> {
  return new (await import('../../output/github/validate-summary.js')).GithubPrinter(ci, annotator)
}

async function createPrinter(
  { format, maxRejections, accepted }: ValidateFlags,
  { report }: Context,
): Promise<Printer> {
  switch (format) {
    case 'human':
      return new HumanPrinter(report, { most: maxRejections, acceptedFile: accepted })
    case 'json':
      return new JsonPrinter(report, accepted)
    case 'sarif':
      return new (await import('./sarif.js')).SarifPrinter(report, packageVersion())
    case 'junit':
      return new (await import('./junit.js')).JunitPrinter(report)
  }
}
