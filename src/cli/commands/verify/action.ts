/** `verify`: compares files with the rows of a target. */

import { pinnedVersion, type ContractFlags } from '../../../config/contract.js'
import type { ServerTargetOptions } from '../../../targets/server/options.js'
import { isDatabase, namedKinds, type TargetFlags } from '../../../targets/kinds.js'
import { wasmHash64 } from '../../../contract/hash64.js'
import { EXIT, IngestError } from '../../../errors.js'
import { databaseRows, type StoredRows } from '../../../delivery/stored-rows.js'
import { verify as compare, type Difference, type Verified } from '../../../delivery/verify.js'
import { describeServer } from '../../../http/address.js'
import { openInputs, releaseSources } from '../../../source/inputs.js'
import type { Action, Context, Format } from '../../context.js'
import { JsonArrayReport } from '../../output/json-array-report.js'
import { oneLine } from '../../output/report.js'
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

export const verify: Action<VerifyFlags> = async (args, flags, context) => {
  const { report, signal, stdin, watch } = context
  assertOneTarget(flags)
  const sources = await openInputs(args, { stdin, rereadable: true, signal, watch: watch?.reads })
  try {
    const { rows, description, close } = await openRows(flags, context)
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

/** @throws {IngestError} `usage` for a server and a database */
function assertOneTarget(flags: VerifyFlags): void {
  if (flags.server === undefined || !namedKinds(flags).some(isDatabase)) return
  throw new IngestError('usage', '--server and a database are two targets', { hint: 'verify one after the other' })
}

type OpenRows = { readonly rows: StoredRows; readonly description: string; readonly close: () => Promise<void> }

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
