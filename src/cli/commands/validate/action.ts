/** `validate`: checks every line of every source and sends nothing. */

import { pinnedVersion, type ContractFlags } from '../../../config/contract.js'
import { EXIT } from '../../../errors.js'
import { wasmHash64 } from '../../../contract/hash64.js'
import { createIdentifier } from '../../../source/identify.js'
import { openInputs, releaseSources } from '../../../source/inputs.js'
import { inspect, type Inspection } from '../../../source/inspect.js'
import type { Source } from '../../../source/source.js'
import type { Annotator } from '../../output/annotator.js'
import type { Action, CiStep, Context, Format } from '../../context.js'
import { packageVersion } from '../../../package-file.js'
import { JsonPrinter } from './json.js'
import { HumanPrinter, type Printer, type Validated } from './human.js'

export type ValidateFormat = Format | 'sarif' | 'junit'

export type ValidateFlags = ContractFlags & {
  readonly format: ValidateFormat
  readonly commitSha?: string
  readonly maxRejections?: number
  readonly report?: string
}

export const validate: Action<ValidateFlags> = async (args, flags, context) => {
  const printers = await printersOf(flags, context)
  const { signal } = context
  const validated = await checkAll(args, flags, { printers, context }).catch((error: unknown) => {
    for (const printer of printers) printer.fail(signal.aborted ? signal.reason : error)
    throw error
  })
  for (const printer of printers) printer.done(validated)
  return validated.exitCode
}

async function printersOf({ format }: ValidateFlags, context: Context): Promise<readonly Printer[]> {
  const { ci, report, reportFile } = context
  const printers = [await printerOf(format, context)]
  if (reportFile !== undefined) printers.push(new JsonPrinter(reportFile))
  if (ci !== undefined && report.annotator !== undefined) printers.push(await githubPrinter(ci, report.annotator))
  return printers
}

async function githubPrinter(ci: CiStep, annotator: Annotator): Promise<Printer> {
  return new (await import('../../output/github/validate-summary.js')).GithubPrinter(ci, annotator)
}

async function printerOf(format: ValidateFormat, { report }: Context): Promise<Printer> {
  switch (format) {
    case 'human':
      return new HumanPrinter(report)
    case 'json':
      return new JsonPrinter(report)
    case 'sarif':
      return new (await import('./sarif.js')).SarifPrinter(report, packageVersion())
    case 'junit':
      return new (await import('./junit.js')).JunitPrinter(report)
  }
}

type CheckOptions = { readonly printers: readonly Printer[]; readonly context: Context }

async function checkAll(args: readonly string[], flags: ValidateFlags, options: CheckOptions): Promise<Validated> {
  const { stdin, signal, watch } = options.context
  const sources = await openInputs(args, { stdin, rereadable: 'maybe', signal, watch: watch?.reads })
  try {
    return await check(sources, flags, options)
  } finally {
    await releaseSources(sources)
  }
}

async function check(
  sources: readonly Source[],
  { commitSha, maxRejections = Infinity, ...flags }: ValidateFlags,
  { printers, context: { signal } }: CheckOptions,
): Promise<Validated> {
  const identify = createIdentifier(await wasmHash64())
  const inspections: Inspection[] = []
  let rejected = 0
  const enough = (): boolean => rejected >= maxRejections
  for (const source of sources) {
    if (enough()) break
    const inspection = await inspect(source, {
      ...{ commitSha, oneCommit: commitSha !== undefined, identify, enough, signal },
      contractVersion: pinnedVersion(flags),
      onRejection: rejection => {
        // Lines are checked in whole blocks, so rejections can follow after the limit is reached.
        if (!enough()) for (const printer of printers) printer.rejection(rejection)
        rejected++
      },
      onWarning: warning => {
        for (const printer of printers) printer.warning(warning)
      },
    })
    inspections.push(inspection)
  }
  const exitCode = rejected > 0 ? EXIT.badData : EXIT.done
  return { inspections, rejected: Math.min(rejected, maxRejections), stoppedEarly: enough(), exitCode }
}
