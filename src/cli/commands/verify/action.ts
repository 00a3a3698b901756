/** `verify`: compares files with the rows of a target, or a state with its targets. */

import { pinnedVersion, type ContractFlags } from '../../../config/contract.js'
import type { TargetKind } from '../../../targets/kind.js'
import { namedDatabase, parseKind } from '../../../targets/kinds.js'
import type { ServerTargetOptions } from '../../../targets/server/options.js'
import { EXIT, IngestError } from '../../../errors.js'
import { verify, type Difference, type VerifyResult } from '../../../delivery/verify.js'
import type { Action, Context } from '../../context.js'
import { assertOneTarget } from '../../options/open-reader.js'
import { piiOptions } from '../../options/pii.js'
import { JsonArrayReport } from '../../output/json-array-report.js'
import { oneLine } from '../../../visible-text.js'
import { printVerdict } from './human.js'
import type { RecheckFlags } from './recheck.js'
import { rowsOpener } from './rows.js'
import type { VerifyReport } from '../../../reports/records.js'

export type VerifyFlags = RecheckFlags &
  ContractFlags &
  Pick<ServerTargetOptions, 'server' | 'timeout'> & {
    readonly report?: string
    readonly commitSha?: string
    readonly extra?: boolean
  }

export const runVerify: Action<VerifyFlags> = async (args, flags, context) => {
  if (args.length === 0 && flags.state === undefined)
    throw new IngestError('usage', 'missing files', { hint: 'name files, or verify a state with --state' })
  if (args.length === 0) return (await import('./recheck.js')).runRecheck(args, flags, context)
  assertNoStateFlags(context)
  const { env, report, signal, stdin, watch, reportFile } = context
  assertOneTarget(flags)
  const isJson = flags.format === 'json'
  const documents = [...(isJson ? [report] : []), ...(reportFile === undefined ? [] : [reportFile])].map(
    to => new JsonArrayReport<VerifyReport, 'differences'>(to, 'differences'),
  )
  try {
    const result = await verify(args, {
      ...{ stdin, signal, watch: watch?.reads, commitSha: flags.commitSha, extra: flags.extra },
      // The kinds that flags can name here have rows.
      target: { openRows: rowsOpener(readKind(flags), flags, context)! },
      contractVersion: pinnedVersion(flags),
      pii: piiOptions(flags, env),
      onRejection: rejection => report.rejection(rejection),
      onWarning: warning => report.lineWarning(warning),
      onDifference: difference => {
        if (!isJson) report.finding(differenceLine(difference))
        for (const document of documents) document.element(differenceReport(difference))
      },
    })
    const exitCode = verifyExitCode(result)
    if (!isJson) printVerdict(report, result)
    for (const document of documents) document.end(verifyReport(result, exitCode))
    return exitCode
  } catch (error) {
    for (const document of documents) document.fail(error)
    throw error
  }
}

/**
 * Refuses flags that are only valid without files. A variable may name a state for other commands.
 * @throws {IngestError} `usage`
 */
function assertNoStateFlags({ origins }: Context): void {
  const given = ['state', 'target', 'rewind'].find(name => origins.get(name)?.startsWith('--'))
  if (given === undefined) return
  const hint = 'verify a state without files, or files without --state, --target and --rewind'
  throw new IngestError('usage', `--${given} is given together with files`, { hint })
}

/** The kind of the server or database that flags name, otherwise of the default database. */
function readKind(flags: VerifyFlags): TargetKind {
  return flags.server === undefined ? namedDatabase(flags) : parseKind('server')
}

function verifyExitCode({ rejected, different }: VerifyResult): number {
  if (rejected > 0) return EXIT.badData
  return different > 0 ? EXIT.mismatch : EXIT.done
}

function differenceLine({ source, line, kind, measurementId, message }: Difference): string {
  const where = line === 0 ? source : `${source}:${line}`
  return oneLine([where === '' ? '' : `${where}:`, kind, measurementId, message].filter(part => part !== '').join(' '))
}

function differenceReport({
  measurementId,
  measurements: _,
  ...rest
}: Difference): VerifyReport['differences'][number] {
  return { ...rest, measurement_id: measurementId }
}

function verifyReport(result: VerifyResult, exitCode: number): Omit<VerifyReport, 'differences'> {
  const { target, targetVersion, compared, different, rejected, notCompared } = result
  const fields = notCompared.fields.map(({ missingIn, ...count }) => ({ ...count, missing_in: missingIn }))
  return {
    ...{ command: 'verify', exit_code: exitCode, target, target_version: targetVersion ?? null },
    ...{ compared, different, rejected, not_compared: { fields, records: notCompared.records } },
  }
}
