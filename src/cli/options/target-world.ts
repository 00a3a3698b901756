/** Opens targets and databases in the environment of a command. */

import type { SettingsOf } from '../../delivery/target.js'
import type { OpenSession, OpenWorld, StateBuckets, TargetKind } from '../../targets/kind.js'
import { namedDatabase, type TargetFlags } from '../../targets/kinds.js'
import { writeSettings } from '../../targets/write-settings.js'
import type { Context } from '../context.js'

/** @param buckets the buckets of the state in which a target is registered */
export function openWorld({ env, random, report, signal }: Context, buckets?: StateBuckets): OpenWorld {
  return { env, random, signal, buckets, onWarning: message => report.warning(message) }
}

/**
 * Opens the database that flags name, for commands that only read, or that migrate.
 * @param create creates the embedded database if it does not exist
 */
export async function openDatabase(flags: TargetFlags, create: boolean, context: Context): Promise<OpenSession> {
  // A named database has sessions.
  return namedDatabase(flags).openSession!(flags, { ...openWorld(context), create })
}

/** The write settings of a target, if its kind has any. Flags take precedence over promoted settings. */
export function settingsFor(
  { tunables }: TargetKind,
  flags: TargetFlags,
  { origins }: Context,
): { readonly settings?: SettingsOf } {
  if (tunables.length === 0) return {}
  return { settings: promotion => writeSettings(tunables, { flags, origins }, promotion) }
}
