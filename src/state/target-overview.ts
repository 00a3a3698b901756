/** Overview of registered targets from state alone; no target is contacted. */

import { messageOf } from '../errors.js'
import type { Storage } from '../storage/storage.js'
import { readSuccesses } from './health.js'
import { readJournal } from './journal.js'
import type { JournalEvent } from './journal-event.js'
import { activePromotion, readPromotions, type Promotion } from './promotions.js'
import { readRegistry, type RegisteredTarget } from './registry.js'
import type { State } from './state.js'
import { summarizeState, type Lag } from './state-summary.js'

export type TargetOverview = {
  readonly target: RegisteredTarget
  /** Undefined when nothing was ever queued for the target. */
  readonly lag: Lag | undefined
  readonly lastError: JournalEvent | undefined
  /** RFC 3339; undefined when there was no success. */
  readonly lastSuccess: string | undefined
  /** Promotion whose settings apply; undefined when the defaults apply. */
  readonly promotion: Promotion | undefined
}

export type Overview = {
  /** Sorted by name. */
  readonly targets: readonly TargetOverview[]
  /** Targets that were named only by flags and that records are queued for. */
  readonly unregistered: readonly Lag[]
  /** Messages about objects that could not be read. */
  readonly problems: readonly string[]
}

/** @throws {IngestError} when the registry cannot be read; anything else that cannot be read is listed as a problem */
export async function overviewTargets({ storage }: State): Promise<Overview> {
  const problems: string[] = []
  const { targets } = await readRegistry(storage)
  const { lags, problems: unread } = await summarizeState(storage, 0)
  const events = await readJournal(storage, { onDamage: message => problems.push(message) })
  const successes = await readSuccesses(storage, message => problems.push(message))
  const overviews: TargetOverview[] = []
  for (const target of [...targets.values()].sort((left, right) => (left.name < right.name ? -1 : 1))) {
    const isThisTarget = ({ sort, name }: { sort: string; name: string }): boolean =>
      sort === 'target' && name === target.name
    overviews.push({
      target,
      lag: lags.find(lag => lag.target.id === target.identity),
      lastError: events.find(isThisTarget),
      lastSuccess: successes.find(isThisTarget)?.at,
      promotion: await readActivePromotion(storage, target).catch((error: unknown) => {
        problems.push(messageOf(error))
        return undefined
      }),
    })
  }
  const registered = new Set(overviews.map(({ target }) => target.identity))
  const unregistered = lags.filter(({ target }) => !registered.has(target.id))
  return { targets: overviews, unregistered, problems: [...unread, ...problems] }
}

async function readActivePromotion(storage: Storage, { identity }: RegisteredTarget): Promise<Promotion | undefined> {
  return activePromotion(await readPromotions(storage, identity))
}
