/** The last envelopes sent to this server, collected from its request log. Held in memory and lost when the server stops. */

import type { FastifyInstance } from 'fastify'
import type { ServeLogLine } from '../reports/operations.js'

/** More entries than anybody scrolls through. */
const KEPT = 100
const SHOWN = ['time', 'status', 'ms', 'bytes', 'commit', 'records', 'inserted', 'updated', 'error'] as const

export class RecentPushes {
  readonly #pushes: Partial<ServeLogLine>[] = []
  readonly #since: string

  constructor(now: () => Date) {
    this.#since = now().toISOString()
  }

  /**
   * Adds the entry when it is a push. Requests without a valid token are ignored, so that they cannot evict real pushes.
   * Requests with an empty body are ignored because `doctor` sends them to check the connection.
   */
  note(entry: ServeLogLine): void {
    const isPush = entry.route === '/api/ingest' && entry.method === 'POST'
    if (!isPush || entry.status === 401 || entry.bytes === 0) return
    const shown = SHOWN.flatMap(name => (entry[name] === undefined ? [] : [[name, entry[name]] as const]))
    this.#pushes.unshift(Object.fromEntries(shown))
    this.#pushes.length = Math.min(this.#pushes.length, KEPT)
  }

  addRoute(app: FastifyInstance): void {
    app.get('/api/pushes', async () => ({ since: this.#since, pushes: this.#pushes }))
  }
}
