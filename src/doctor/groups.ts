/** Selects the checks for the given flags and environment. */

import { detectCi } from '../commit/ci.js'
import type { Told } from '../config/settings.js'
import { targetConfig } from '../config/target.js'
import { writesDatabase } from '../config/write.js'
import { archiveGroups } from './archive.js'
import { embeddedGroup } from './embedded.js'
import { broken, type Group } from './finding.js'
import { configurationGroup, programGroup } from './program.js'
import { serverGroup } from './server.js'

export type World = { readonly version: string; readonly now: () => Date }

/** All groups of checks. Invalid flags become findings, because reporting them is the purpose of `doctor`. */
export async function groupsOf(told: Told, { version, now }: World): Promise<readonly Group[]> {
  const { flags, env } = told
  const { server } = flags
  return [
    programGroup(version, env),
    configurationGroup(told),
    ...(server === undefined ? [] : [await serverGroup({ ...flags, server }, { env, now })]),
    ...(await databaseGroups(told, now)),
    ...archiveGroups(flags),
  ]
}

async function databaseGroups({ flags, env }: Told, now: () => Date): Promise<readonly Group[]> {
  // In CI, a push without a target fails before it opens any.
  const isNamed = flags.postgres !== undefined || flags.embedded !== undefined
  if (!writesDatabase(flags) || (!isNamed && detectCi(env) !== undefined)) return []
  try {
    const config = targetConfig(flags, env)
    if (config.kind === 'embedded') return [await embeddedGroup(config.folder)]
    const { postgresGroup } = await import('./postgres.js')
    return [postgresGroup(config, now)]
  } catch (error) {
    return [broken(flags.postgres === undefined ? 'embedded' : 'postgres', 'address', error)]
  }
}
