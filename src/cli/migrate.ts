/** `migrate`: brings a database up to the tables, indexes and roles of the contract, or says where it is not. */

import { targetConfig, type TargetFlags } from '../config/target.js'
import { EXIT } from '../errors.js'
import { findDrift } from '../sink/drift.js'
import { migrate as apply } from '../sink/migrate.js'
import type { Action, Context, Format } from './context.js'
import { oneLine, plural } from './report.js'
import { openSession, warnInsecure, type OpenSession } from './targets.js'

export type MigrateFlags = TargetFlags & { readonly format: Format; readonly check?: boolean }

export const migrate: Action<MigrateFlags> = async (_args, flags, context) => {
  const target = targetConfig(flags, context.env)
  warnInsecure(target, context)
  const check = flags.check === true
  const opened = await openSession(target, !check, context)
  try {
    return await (check ? checkSchema : applyMigrations)(opened, flags, context)
  } finally {
    await opened.close()
  }
}

type Step = (opened: OpenSession, flags: MigrateFlags, context: Context) => Promise<number>

const applyMigrations: Step = async ({ session, description }, { format }, { report }) => {
  const { applied, alreadyThere } = await apply(session)
  const exitCode = EXIT.done
  if (format === 'json') {
    report.json({
      ...{ command: 'migrate', exit_code: exitCode, target: description },
      ...{ applied, already_there: alreadyThere },
    })
    return exitCode
  }
  const done = applied.length === 0 ? 'nothing to do' : `applied ${plural(applied.length, 'migration')}`
  report.verdict(true, 'migrated:', `${description}: ${done}, ${alreadyThere.length} already there`)
  for (const name of applied) report.result(`  ${name}`)
  return exitCode
}

/** Changes nothing. */
const checkSchema: Step = async ({ session, description }, { format }, { report }) => {
  const drift = await findDrift(session)
  const exitCode = drift.length === 0 ? EXIT.done : EXIT.config
  if (format === 'json') {
    report.json({ command: 'migrate', check: true, exit_code: exitCode, target: description, drift })
    return exitCode
  }
  if (drift.length === 0) {
    report.verdict(true, 'up to date:', `${description} has every migration, table and index of the contract`)
    return exitCode
  }
  report.verdict(false, 'drifted:', `${description}: ${plural(drift.length, 'difference')}`)
  for (const { object, message, code } of drift) report.result(`  ${oneLine(`${object}: ${message} (${code})`)}`)
  if (drift.some(({ code }) => code === 'missing_migration'))
    report.hint('vortex-ingest migrate applies the missing migrations')
  return exitCode
}
