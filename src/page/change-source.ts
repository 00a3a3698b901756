/** The change points that the server found. Views share one request. */

import type { ChangeEntry, ChangesAnswer } from '../server/read/answers.js'
import { fetchChanges } from './api.js'
import { EVERY } from './address.js'
import { seriesPlace } from './model/charted-group.js'

/** An answer is asked for again after this long. */
const LAST_MS = 60_000

export class ChangeSource {
  #loading: Promise<ChangesAnswer> | undefined
  #known: ChangesAnswer | undefined
  #until = 0

  /** The last answer; undefined before the first. */
  get known(): ChangesAnswer | undefined {
    return this.#known
  }

  load(): Promise<ChangesAnswer> {
    if (this.#loading === undefined || performance.now() > this.#until) {
      this.#until = performance.now() + LAST_MS
      const loading = (this.#loading = fetchChanges())
      loading.then(
        answer => (this.#known = answer),
        () => (this.#loading = undefined),
      )
    }
    return this.#loading
  }

  /** The changes of a panel's series, by the id of the series. */
  ofPanel(slug: string, panel: string): ReadonlyMap<string, readonly ChangeEntry[]> {
    const found = new Map<string, ChangeEntry[]>()
    for (const change of this.#known?.changes ?? []) {
      if (change.slug !== slug) continue
      const place = seriesPlace(change.dimensions, change.key)
      if (panel !== EVERY && place.panel !== panel) continue
      const id = panel === EVERY ? `${place.panel} · ${place.id}` : place.id
      found.set(id, [...(found.get(id) ?? []), change])
    }
    return found
  }
}
