/** `migrate`: applies missing migrations, reports schema differences, or repairs stored timestamps. */

import type { OpenSession } from '../../../targets/kind.js'
import type { TargetFlags } from '../../../targets/kinds.js'
import { EXIT, IngestError } from '../../../errors.js'
import { compareSchema, type Drift } from '../../../database/schema-drift.js'
import { migrate } from '../../../database/migrate.js'
import { repairTimestamps, type TimestampRepair } from '../../../database/repair-timestamps.js'
import type { Action, Context, Format } from '../../context.js'
import { oneLine } from '../../../visible-text.js'
import { plural } from '../../output/report.js'
import { openDatabase } from '../../options/target-world.js'
import type { MigrateCheckReport, MigrateRepairReport, MigrateReport } from '../../../reports/operations.js'

export type MigrateFlags = TargetFlags & {
  readonly format: Format
  readonly check?: boolean
  readonly repairTimestamps?: boolean
  readonly ordering?: boolean
}

export const runMigrate: Action<MigrateFlags> = async (_args, flags, context) => {
  const step = stepFor(flags)
  const opened = await openDatabase(flags, step === applyMigrations, context)
  try {
    return await step(opened, flags, context)
  } finally {
    await opened.close()
  }
}

type Step = (opened: OpenSession, flags: MigrateFlags, context: Context) => Promise<number>

function stepFor({ check, repairTimestamps }: MigrateFlags): Step {
  if (check === true) return checkSchema
  return repairTimestamps === true ? repair : applyMigrations
}

const applyMigrations: Step = async ({ session, description }, { format, ordering }, { report }) => {
  const { applied, alreadyThere, revoked } = await migrate(session, { withOptional: ordering })
  const exitCode = EXIT.done
  if (format === 'json') {
    report.json<MigrateReport>({
      ...{ command: 'migrate', exit_code: exitCode, target: description },
      ...{ applied, already_there: alreadyThere, revoked },
    })
    return exitCode
  }
  const nothing = revoked.length === 0 ? 'nothing to do' : 'no migration to apply'
  const done = applied.length === 0 ? nothing : `applied ${plural(applied.length, 'migration')}`
  report.verdict(true, 'migrated:', `${description}: ${done}, ${alreadyThere.length} already there`)
  for (const name of applied) report.result(`  ${name}`)
  for (const membership of revoked) report.result(`  revoked ${membership}, because that role logs in with a password`)
  return exitCode
}

/** `--check`: reports the differences between the database and the contract, and changes nothing. */
const checkSchema: Step = async ({ session, description }, { format }, { report }) => {
  const { drift, isLedgerReadable } = await compareSchema(session)
  const exitCode = drift.length === 0 ? EXIT.done : EXIT.config
  if (format === 'json') {
    report.json<MigrateCheckReport>({
      ...{ command: 'migrate', check: true, exit_code: exitCode, target: description },
      ...{ ledger_compared: isLedgerReadable, drift },
    })
    return exitCode
  }
  if (drift.length === 0) {
    const compared = isLedgerReadable ? 'migration, table and index' : 'table and index'
    report.verdict(true, 'up to date:', `${description} has every ${compared} of the contract`)
  } else report.verdict(false, 'drifted:', `${description}: ${plural(drift.length, 'difference')}`)
  for (const { object, message, code } of drift) report.result(`  ${oneLine(`${object}: ${message} (${code})`)}`)
  if (!isLedgerReadable) report.result('  this role may not read the ledger, so the migrations were not compared')
  const has = (wanted: Drift['code']): boolean => drift.some(({ code }) => code === wanted)
  if (has('missing_migration') || has('missing_optional_migration'))
    report.hint('vortex-ingest migrate applies the missing migrations')
  if (has('token_login')) report.hint('vortex-ingest migrate revokes rds_iam from bench_read')
  if (has('inherited_token_login'))
    report.hint('revoke the role between rds_iam and bench_read: psql `\\drg bench_read` lists it')
  return exitCode
}

const repair: Step = async ({ session, description }, { format }, { report, signal }) => {
  let done: TimestampRepair = { examined: 0, repaired: 0 }
  try {
    await repairTimestamps(session, { onBatch: soFar => void (done = soFar) })
  } catch (error) {
    throw signal.aborted ? interrupted(error, done) : error
  }
  const exitCode = EXIT.done
  if (format === 'json') {
    report.json<MigrateRepairReport>({
      ...{ command: 'migrate', repair_timestamps: true, exit_code: exitCode, target: description },
      ...done,
    })
    return exitCode
  }
  const repaired = done.repaired === 0 ? 'nothing to repair' : `repaired ${plural(done.repaired, 'timestamp')}`
  report.verdict(true, 'repaired:', `${description}: ${repaired}, ${plural(done.examined, 'row')} examined`)
  return exitCode
}

function interrupted(error: unknown, { examined, repaired }: TimestampRepair): unknown {
  if (!(error instanceof IngestError)) return error
  const message = `interrupted: ${plural(repaired, 'timestamp')} repaired, ${plural(examined, 'row')} examined`
  const hint = 'repaired rows stay repaired; run the same command again for the rest'
  return new IngestError(error.code, message, { cause: error, hint })
}
