/** `verify`: compares files with the rows of a target. */

import type { Environment } from '../../../commit/ci.js'
import { pinnedVersion, type ContractFlags } from '../../../config/contract.js'
import { readServerConfig, type ReadServerConfig, type ServerFlags } from '../../../config/server.js'
import { targetConfig, type TargetConfig, type TargetFlags } from '../../../config/target.js'
import { EXIT, IngestError } from '../../../errors.js'
import { databaseRows, type OpenRows } from '../../../delivery/stored-rows.js'
import { verify, type Difference, type VerifyResult } from '../../../delivery/verify.js'
import { describeServer } from '../../../http/address.js'
import type { Action, Context, Format } from '../../context.js'
import { JsonArrayReport } from '../../output/json-array-report.js'
import { oneLine } from '../../output/report.js'
import { openSession, warnInsecure } from '../../options/targets.js'
import { printVerdict } from './human.js'
import type { VerifyReport } from '../../../reports/records.js'

export type VerifyFlags = TargetFlags &
  ContractFlags &
  Pick<ServerFlags, 'server' | 'timeout'> & {
    readonly format: Format
    readonly report?: string
    readonly commitSha?: string
    readonly extra?: boolean
  }

export const runVerify: Action<VerifyFlags> = async (args, flags, context) => {
  const { report, signal, stdin, watch, reportFile } = context
  const target = await verifyConfig(flags, context.env)
  if (target.kind !== 'server') warnInsecure(target, context)
  const isJson = flags.format === 'json'
  const documents = [...(isJson ? [report] : []), ...(reportFile === undefined ? [] : [reportFile])].map(
    to => new JsonArrayReport<VerifyReport, 'differences'>(to, 'differences'),
  )
  try {
    const result = await verify(args, {
      ...{ stdin, signal, watch: watch?.reads, commitSha: flags.commitSha, extra: flags.extra },
      target: { openRows: () => openRows(target, context) },
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

/** The target to compare with: a server or a database, not both. */
async function verifyConfig(flags: VerifyFlags, env: Environment): Promise<TargetConfig | ReadServerConfig> {
  const server = await readServerConfig(flags, env)
  if (server === undefined) return targetConfig(flags, env)
  if (flags.postgres === undefined && flags.embedded === undefined) return server
  throw new IngestError('usage', '--server and a database are two targets', { hint: 'verify one after the other' })
}

async function openRows(target: TargetConfig | ReadServerConfig, context: Context): Promise<OpenRows> {
  if (target.kind !== 'server') {
    const { session, ...open } = await openSession(target, false, context)
    return { rows: databaseRows(session), ...open }
  }
  const { serverRows } = await import('../../../delivery/server-rows.js')
  const rows = await serverRows({ ...target, signal: context.signal })
  return { rows, description: describeServer(target.address.base), close: async () => rows.close() }
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
