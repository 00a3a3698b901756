/** `verify`: is what the files say what the database holds? */

import { targetConfig, type TargetFlags } from '../config/target.js'
import { wasmHash64 } from '../contract/hash64.js'
import { EXIT } from '../errors.js'
import { verify as compare, type Difference, type Verified } from '../delivery/verify.js'
import { openInputs, releaseAll } from '../source/inputs.js'
import type { Action, Format } from './context.js'
import { JsonArrayReport } from './json-array-report.js'
import { oneLine, plural, type Report } from './report.js'
import { openSession, warnInsecure } from './targets.js'

export type VerifyFlags = TargetFlags & {
  readonly format: Format
  readonly commitSha?: string
  readonly extra?: boolean
}

export const verify: Action<VerifyFlags> = async (args, flags, context) => {
  const { report, signal, stdin } = context
  const target = targetConfig(flags, context.env)
  warnInsecure(target, context)
  const sources = await openInputs(args, { stdin, rereadable: true, signal })
  try {
    const { session, description, close } = await openSession(target, false, context)
    const json = flags.format === 'json' ? new JsonArrayReport(report, 'differences') : undefined
    try {
      const verified = await compare(sources, session, {
        commitSha: flags.commitSha,
        extra: flags.extra === true,
        hash: await wasmHash64(),
        onRejection: rejection => report.rejection(rejection),
        onWarning: warning => report.lineWarning(warning),
        onDifference: difference =>
          json === undefined ? report.result(line(difference)) : json.element(fields(difference)),
        signal,
      })
      const exitCode = exitCodeOf(verified)
      if (json === undefined) printVerdict(report, verified, description)
      else json.end(summary(verified, description, exitCode))
      return exitCode
    } catch (error) {
      json?.fail(error)
      throw error
    } finally {
      await close()
    }
  } finally {
    await releaseAll(sources)
  }
}

function exitCodeOf({ inspections, differences }: Verified): number {
  if (inspections.some(({ rejected }) => rejected > 0)) return EXIT.badData
  return differences > 0 ? EXIT.mismatch : EXIT.done
}

function printVerdict(report: Report, { compared, differences, inspections }: Verified, description: string): void {
  const rejected = inspections.reduce((all, one) => all + one.rejected, 0)
  if (rejected > 0) report.failure(`nothing was compared: ${plural(rejected, 'line')} rejected`)
  else if (differences === 0)
    report.verdict(true, 'verified:', `${plural(compared, 'measurement')} in ${description} are as the file says`)
  else
    report.verdict(
      false,
      'different:',
      `${plural(differences, 'difference')} in ${plural(compared, 'measurement')} against ${description}`,
    )
}

function line({ source, line, kind, measurementId, message }: Difference): string {
  const where = line === 0 ? source : `${source}:${line}`
  return oneLine([where === '' ? '' : `${where}:`, kind, measurementId, message].filter(part => part !== '').join(' '))
}

function fields({ measurementId, ...rest }: Difference): object {
  return { ...rest, measurement_id: measurementId }
}

function summary({ compared, differences, inspections }: Verified, description: string, exitCode: number): object {
  const rejected = inspections.reduce((all, one) => all + one.rejected, 0)
  return { command: 'verify', exit_code: exitCode, target: description, compared, different: differences, rejected }
}
