/** Generates the OpenAPI document of a server with all its routes, at the newest contract version. */

import { SCHEMA_VERSION } from '../src/contract/kinds.js'
import { memoryStorage } from '../src/storage/memory.js'
import { createServer, LIMITS } from '../src/server/app.js'
import { openApiDocument } from '../src/server/openapi/document.js'
import { ServerJournal } from '../src/server/operator/server-journal.js'
import type { Store } from '../src/server/store/store.js'
import type { State } from '../src/state/state.js'

/** The server is created only to list its routes. It never listens and never uses its store. */
export function writtenDocument(): string {
  const tools = { now: Date.now, random: Math.random, sleep: () => Promise.resolve(), leaseMs: 0 }
  const state: State = { storage: memoryStorage(), owner: { host: '', pid: 0, started: '' }, tools }
  const { routes } = createServer({
    ...{ store: {} as Store, hash: () => 0n, token: '-', revalidateToken: '-', limits: LIMITS },
    ...{ version: SCHEMA_VERSION, pageFolder: '', log: () => undefined, now: () => new Date() },
    operator: { state, journal: new ServerJournal(state, () => undefined), token: '-' },
  })
  return openApiDocument(routes, SCHEMA_VERSION)
}
