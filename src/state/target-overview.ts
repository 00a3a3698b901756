/** Registered targets with what state knows of them. Asks none of them. */

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
  /** Undefined for one that nothing was kept for yet. */
  readonly lag: Lag | undefined
  readonly lastError: JournalEvent | undefined
  /** RFC 3339. */
  readonly lastSuccess: string | undefined
  /** Whose settings it is written to with; undefined: the defaults. */
  readonly promotion: Promotion | undefined
}

export type Overview = {
  /** By name. */
  readonly targets: readonly TargetOverview[]
  /** Targets that state waits for, though only flags named them. */
  readonly unregistered: readonly Lag[]
  /** What could not be read. */
  readonly problems: readonly string[]
}

/** @throws {IngestError} when the registry cannot be read; of everything else it says so */
export async function overviewTargets({ storage }: State): Promise<Overview> {
  const problems: string[] = []
  const { targets } = await readRegistry(storage)
  const { lags, problems: unread } = await summarizeState(storage, 0)
  const events = await readJournal(storage, { onDamage: message => problems.push(message) })
  const successes = await readSuccesses(storage, message => problems.push(message))
  const overviews: TargetOverview[] = []
  for (const target of [...targets.values()].sort((one, other) => (one.name < other.name ? -1 : 1))) {
    const isOf = ({ sort, name }: { sort: string; name: string }): boolean => sort === 'target' && name === target.name
    overviews.push({
      target,
      lag: lags.find(lag => lag.target.name === target.identity),
      lastError: events.find(isOf),
      lastSuccess: successes.find(isOf)?.at,
      promotion: await readActivePromotion(storage, target).catch((error: unknown) => {
        problems.push(messageOf(error))
        return undefined
      }),
    })
  }
  const registered = new Set(overviews.map(({ target }) => target.identity))
  const unregistered = lags.filter(({ target }) => !registered.has(target.name))
  return { targets: overviews, unregistered, problems: [...unread, ...problems] }
}

async function readActivePromotion(storage: Storage, { identity }: RegisteredTarget): Promise<Promotion | undefined> {
  return activePromotion(await readPromotions(storage, identity))
}
