/** `verify`: compares files with the rows of a target. */

import type { Environment } from '../../../commit/ci.js'
import { pinnedVersion, type ContractFlags } from '../../../config/contract.js'
import { readServerConfig, type ReadServerConfig, type ServerFlags } from '../../../config/server.js'
import { targetConfig, type TargetConfig, type TargetFlags } from '../../../config/target.js'
import { wasmHash64 } from '../../../contract/hash64.js'
import { EXIT, IngestError } from '../../../errors.js'
import { databaseRows, type StoredRows } from '../../../delivery/stored-rows.js'
import { verify as compare, type Difference, type Verified } from '../../../delivery/verify.js'
import { describeServer } from '../../../http/address.js'
import { openInputs, releaseSources } from '../../../source/inputs.js'
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

export const verify: Action<VerifyFlags> = async (args, flags, context) => {
  const { report, signal, stdin, watch } = context
  const target = await verifyConfig(flags, context.env)
  if (target.kind !== 'server') warnInsecure(target, context)
  const sources = await openInputs(args, { stdin, rereadable: true, signal, watch: watch?.reads })
  try {
    const { rows, description, close } = await openRows(target, context)
    const json = flags.format === 'json'
    const documents = [
      ...(json ? [report] : []),
      ...(context.reportFile === undefined ? [] : [context.reportFile]),
    ].map(to => new JsonArrayReport<VerifyReport, 'differences'>(to, 'differences'))
    try {
      const verified = await compare(sources, rows, {
        commitSha: flags.commitSha,
        contractVersion: pinnedVersion(flags),
        extra: flags.extra === true,
        hash: await wasmHash64(),
        onRejection: rejection => report.rejection(rejection),
        onWarning: warning => report.lineWarning(warning),
        onDifference: difference => {
          if (!json) report.finding(line(difference))
          for (const document of documents) document.element(fields(difference))
        },
        signal,
      })
      const exitCode = exitCodeOf(verified)
      if (!json) printVerdict(report, verified, description)
      for (const document of documents) document.end(summary(verified, description, exitCode))
      return exitCode
    } catch (error) {
      for (const document of documents) document.fail(error)
      throw error
    } finally {
      await close()
    }
  } finally {
    await releaseSources(sources)
  }
}

/** The target to compare with: a server or a database, not both. */
async function verifyConfig(flags: VerifyFlags, env: Environment): Promise<TargetConfig | ReadServerConfig> {
  const server = await readServerConfig(flags, env)
  if (server === undefined) return targetConfig(flags, env)
  if (flags.postgres === undefined && flags.embedded === undefined) return server
  throw new IngestError('usage', '--server and a database are two targets', { hint: 'verify one after the other' })
}

type OpenRows = { readonly rows: StoredRows; readonly description: string; readonly close: () => Promise<void> }

async function openRows(target: TargetConfig | ReadServerConfig, context: Context): Promise<OpenRows> {
  if (target.kind !== 'server') {
    const { session, ...open } = await openSession(target, false, context)
    return { rows: databaseRows(session), ...open }
  }
  const { serverRows } = await import('../../../delivery/server-rows.js')
  const rows = await serverRows({ ...target, signal: context.signal })
  return { rows, description: describeServer(target.address.base), close: async () => rows.close() }
}

function exitCodeOf({ inspections, differences }: Verified): number {
  if (inspections.some(({ rejected }) => rejected > 0)) return EXIT.badData
  return differences > 0 ? EXIT.mismatch : EXIT.done
}

function line({ source, line, kind, measurementId, message }: Difference): string {
  const where = line === 0 ? source : `${source}:${line}`
  return oneLine([where === '' ? '' : `${where}:`, kind, measurementId, message].filter(part => part !== '').join(' '))
}

function fields({ measurementId, ...rest }: Difference): VerifyReport['differences'][number] {
  return { ...rest, measurement_id: measurementId }
}

function summary(verified: Verified, description: string, exitCode: number): Omit<VerifyReport, 'differences'> {
  const { compared, differences, inspections, targetVersion, notCompared } = verified
  const rejected = inspections.reduce((all, one) => all + one.rejected, 0)
  const gaps = notCompared.fields.map(({ missingIn, ...count }) => ({ ...count, missing_in: missingIn }))
  return {
    ...{ command: 'verify', exit_code: exitCode, target: description, target_version: targetVersion ?? null },
    ...{ compared, different: differences, rejected, not_compared: { fields: gaps, records: notCompared.records } },
  }
}
