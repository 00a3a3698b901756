/** Whom lines are kept for. */

import type { Storage } from '../storage/storage.js'
import { readRegistry } from './registry.js'
import { knownTargets } from './target-record.js'

/**
 * What state calls them: targets that it knows, and those that are registered, of which the next push or drain makes
 * known ones. Who was removed and registered again is of the second sort until then, and lacks what it did before.
 * @throws {IngestError} `state_corrupt`, `state_version`
 */
export async function targetsBlockingPruning(storage: Storage): Promise<ReadonlySet<string>> {
  const [known, { targets }] = await Promise.all([knownTargets(storage), readRegistry(storage)])
  return new Set([...known.map(({ name }) => name), ...[...targets.values()].map(({ identity }) => identity)])
}
