/** How far an interrupted copy came. The document disappears when the copy is complete. */

import { readDocument, retryOnConflict, writeDocument } from './document.js'
import type { Fields } from './fields.js'
import { copyKey } from './keys.js'
import { timestamp, type State } from './state.js'

/** Names a copy: its source and target by their ids, and the part of the source that is copied. */
export type CopyName = { readonly source: string; readonly target: string; readonly part: string }

/**
 * The position of a copy in a state. Two processes that do the same copy share it. Both have delivered everything up to their own
 * position, so the later one is kept.
 */
export function copyPosition(state: State, name: CopyName) {
  const { storage } = state
  const key = copyKey([name.source, name.target, name.part].join('\n'))
  const parse = (fields: Fields): string => fields.text('position')
  return {
    read: async (): Promise<string | undefined> => (await readDocument(storage, key, parse))?.value,
    write: (position: string): Promise<void> =>
      retryOnConflict(state, async () => {
        const found = await readDocument(storage, key, parse)
        if (found !== undefined && found.value >= position) return
        const fields = { ...name, position, at: timestamp(state) }
        await writeDocument(storage, key, { fields, over: found?.stored })
      }),
    clear: () => retryOnConflict(state, () => storage.delete(key)),
  }
}
