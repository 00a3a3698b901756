/** The state of a server, which serves the operator API and whose journal records failures of the store. */

import { OPERATOR_TOKEN, type ServeConfig, type StoreConfig } from './config.js'
import type { Operator } from '../../../server/operator/operator-route.js'
import type { Store } from '../../../server/store/store.js'
import type { Context } from '../../context.js'

export type ServeState = {
  /** The store. With a state, its failures are recorded in the journal. */
  readonly store: Store
  readonly operator: Operator | undefined
  readonly onUnreachable: (error: unknown) => void
  /** Writes pending journal entries and closes the state. */
  readonly close: () => Promise<void>
}

/**
 * Opens the state of a server. If the state becomes unreachable later, the server still accepts records.
 * @throws {IngestError} if the state cannot be opened now
 */
export async function openServeState(config: ServeConfig, store: Store, context: Context): Promise<ServeState> {
  const { operatorToken: token } = config
  if (config.state === undefined) {
    if (token !== undefined) context.report.warning(`${OPERATOR_TOKEN} is set, but without --state it opens nothing`)
    return { store, operator: undefined, onUnreachable: () => undefined, close: () => Promise.resolve() }
  }
  const [{ openConfiguredState }, { ServerJournal }, { StoreJournal }] = await Promise.all([
    import('../../options/open-state.js'),
    import('../../../server/operator/server-journal.js'),
    import('../../../server/operator/store-journal.js'),
  ])
  const state = await openConfiguredState(config.state, context)
  const onProblem = (message: string): void => context.report.warning(message)
  const journal = new ServerJournal(state, onProblem)
  const identity = await storeId(config.store, context)
  const noted = new StoreJournal({ state, journal, identity, onProblem })
  return {
    store: noted.watch(store),
    operator: token === undefined ? undefined : { state, journal, token },
    onUnreachable: error => noted.noteUnreachable(error),
    close: async () => {
      await noted.settled()
      await journal.close()
      await state.storage.close()
    },
  }
}

function storeId(store: StoreConfig, { env }: Context): Promise<string> {
  if ('folder' in store) return store.kind.targetId({ embedded: store.folder }, { env })
  return store.kind.targetId(store.options, { env })
}
