/** The OpenAPI document of a server with everything that one can have. */

import { memoryStorage } from '../src/storage/memory.js'
import { createServer, LIMITS } from '../src/server/app.js'
import { openApiDocument } from '../src/server/openapi/document.js'
import { ServerJournal } from '../src/server/operator/server-journal.js'
import type { Store } from '../src/server/store/store.js'
import type { State } from '../src/state/state.js'

/** Nothing is asked of it: it has routes, that is all. */
export function writtenDocument(): string {
  const tools = { now: Date.now, random: Math.random, sleep: () => Promise.resolve(), leaseMs: 0 }
  const state: State = { storage: memoryStorage(), owner: { host: '', pid: 0, started: '' }, tools }
  const { routes } = createServer({
    ...{ store: {} as Store, hash: () => 0n, token: '-', revalidateToken: '-', limits: LIMITS },
    ...{ pageFolder: '', log: () => undefined, now: () => new Date() },
    operator: { state, journal: new ServerJournal(state, () => undefined), token: '-' },
  })
  return openApiDocument(routes)
}
