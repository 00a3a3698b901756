/** Targets that block pruning. */

import type { Storage } from '../storage/storage.js'
import { readRegistry } from './registry.js'
import { knownTargets } from './target-record.js'

/**
 * Ids of all targets that block pruning: those with a record in state and all registered ones. A registered target may
 * have no record until the next push or drain, for example when it was removed and registered again.
 * @throws {IngestError} `state_corrupt`, `state_version`
 */
export async function targetsBlockingPruning(storage: Storage): Promise<ReadonlySet<string>> {
  const [known, { targets }] = await Promise.all([knownTargets(storage), readRegistry(storage)])
  return new Set([...known.map(({ id }) => id), ...[...targets.values()].map(({ identity }) => identity)])
}
