/** `migrate`: brings a database up to the tables, indexes and roles of the contract. */

import { targetConfig, type TargetFlags } from '../config.js'
import { EXIT } from '../errors.js'
import { migrate as apply } from '../sink/migrate.js'
import type { Action, Format } from './context.js'
import { plural } from './report.js'
import { openSession, warnInsecure } from './targets.js'

export type MigrateFlags = TargetFlags & { readonly format: Format }

export const migrate: Action<MigrateFlags> = async (_args, flags, context) => {
  const { report } = context
  const target = targetConfig(flags, context.env)
  warnInsecure(target, context)
  const { session, description, close } = await openSession(target, true, context)
  try {
    const { applied, alreadyThere } = await apply(session)
    if (flags.format === 'json') {
      report.json({
        command: 'migrate',
        exit_code: EXIT.done,
        target: description,
        applied,
        already_there: alreadyThere,
      })
      return EXIT.done
    }
    const done = applied.length === 0 ? 'nothing to do' : `applied ${plural(applied.length, 'migration')}`
    report.verdict(true, 'migrated:', `${description}: ${done}, ${alreadyThere.length} already there`)
    for (const name of applied) report.result(`  ${name}`)
    return EXIT.done
  } finally {
    await close()
  }
}
