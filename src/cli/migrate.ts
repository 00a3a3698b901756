/** `migrate`: brings a database up to date or reports where it differs. */

import { targetConfig, type TargetFlags } from '../config/target.js'
import { EXIT } from '../errors.js'
import { compareSchema, type Drift } from '../sink/drift.js'
import { migrate as apply } from '../sink/migrate.js'
import type { Action, Context, Format } from './context.js'
import { oneLine, plural } from './report.js'
import { openSession, warnInsecure, type OpenSession } from './targets.js'

export type MigrateFlags = TargetFlags & {
  readonly format: Format
  readonly check?: boolean
}

export const migrate: Action<MigrateFlags> = async (_args, flags, context) => {
  const target = targetConfig(flags, context.env)
  warnInsecure(target, context)
  const step = stepFor(flags)
  const opened = await openSession(target, step === applyMigrations, context)
  try {
    return await step(opened, flags, context)
  } finally {
    await opened.close()
  }
}

type Step = (opened: OpenSession, flags: MigrateFlags, context: Context) => Promise<number>

function stepFor({ check }: MigrateFlags): Step {
  return check === true ? checkSchema : applyMigrations
}

const applyMigrations: Step = async ({ session, description }, { format }, { report }) => {
  const { applied, alreadyThere, revoked } = await apply(session)
  const exitCode = EXIT.done
  if (format === 'json') {
    report.json({
      ...{ command: 'migrate', exit_code: exitCode, target: description },
      ...{ applied, already_there: alreadyThere, revoked },
    })
    return exitCode
  }
  const nothing = revoked.length === 0 ? 'nothing to do' : 'no migration to apply'
  const done = applied.length === 0 ? nothing : `applied ${plural(applied.length, 'migration')}`
  report.verdict(true, 'migrated:', `${description}: ${done}, ${alreadyThere.length} already there`)
  for (const name of applied) report.result(`  ${name}`)
  for (const membership of revoked) report.result(`  revoked ${membership}, which logs in with a password`)
  return exitCode
}

/** Changes nothing. */
const checkSchema: Step = async ({ session, description }, { format }, { report }) => {
  const { drift, isLedgerReadable } = await compareSchema(session)
  const exitCode = drift.length === 0 ? EXIT.done : EXIT.config
  if (format === 'json') {
    report.json({
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
  if (has('missing_migration')) report.hint('vortex-ingest migrate applies the missing migrations')
  if (has('token_login')) report.hint('vortex-ingest migrate revokes rds_iam from bench_read')
  return exitCode
}
