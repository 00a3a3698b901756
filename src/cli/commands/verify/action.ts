/** `verify`: compares files with the rows of a target. */

import { pinnedVersion, type ContractFlags } from '../../../config/contract.js'
import { isDatabase, namedKinds, type TargetFlags } from '../../../targets/kinds.js'
import type { ServerTargetOptions } from '../../../targets/server/options.js'
import { EXIT, IngestError } from '../../../errors.js'
import { databaseRows, type OpenRows } from '../../../delivery/stored-rows.js'
import { verify, type Difference, type VerifyResult } from '../../../delivery/verify.js'
import { describeServer } from '../../../http/address.js'
import type { Action, Context, Format } from '../../context.js'
import { JsonArrayReport } from '../../output/json-array-report.js'
import { oneLine } from '../../../visible-text.js'
import { openDatabase } from '../../options/target-world.js'
import { printVerdict } from './human.js'
import type { VerifyReport } from '../../../reports/records.js'

export type VerifyFlags = TargetFlags &
  ContractFlags &
  Pick<ServerTargetOptions, 'server' | 'timeout'> & {
    readonly format: Format
    readonly report?: string
    readonly commitSha?: string
    readonly extra?: boolean
  }

export const runVerify: Action<VerifyFlags> = async (args, flags, context) => {
  const { report, signal, stdin, watch, reportFile } = context
  assertOneTarget(flags)
  const isJson = flags.format === 'json'
  const documents = [...(isJson ? [report] : []), ...(reportFile === undefined ? [] : [reportFile])].map(
    to => new JsonArrayReport<VerifyReport, 'differences'>(to, 'differences'),
  )
  try {
    const result = await verify(args, {
      ...{ stdin, signal, watch: watch?.reads, commitSha: flags.commitSha, extra: flags.extra },
      target: { openRows: () => openRows(flags, context) },
      contractVersion: pinnedVersion(flags),
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

/** @throws {IngestError} `usage` for a server and a database */
function assertOneTarget(flags: VerifyFlags): void {
  if (flags.server === undefined || !namedKinds(flags).some(isDatabase)) return
  throw new IngestError('usage', '--server and a database are two targets', { hint: 'verify one after the other' })
}

async function openRows(flags: VerifyFlags, context: Context): Promise<OpenRows> {
  if (flags.server === undefined) {
    const { session, ...open } = await openDatabase(flags, false, context)
    return { rows: databaseRows(session), ...open }
  }
  const [{ readServerConfig }, { serverRows }] = await Promise.all([
    import('../../../targets/server/config.js'),
    import('../../../delivery/server-rows.js'),
  ])
  const config = await readServerConfig(flags, context.env)
  const rows = await serverRows({ ...config, signal: context.signal })
  return { rows, description: describeServer(config.address.base), close: async () => rows.close() }
}

function verifyExitCode({ rejected, different }: VerifyResult): number {
  if (rejected > 0) return EXIT.badData
  return different > 0 ? EXIT.mismatch : EXIT.done
}

function differenceLine({ source, line, kind, measurementId, message }: Difference): string {
  const where = line === 0 ? source : `${source}:${line}`
  return oneLine([where === '' ? '' : `${where}:`, kind, measurementId, message].filter(part => part !== '').join(' '))
}

function differenceReport({ measurementId, ...rest }: Difference): VerifyReport['differences'][number] {
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
