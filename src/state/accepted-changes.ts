/** Accepted changes beside a state, for measurements in a database that this program does not own. */

import type { AcceptedChange, Act } from '../analysis/accepted-change.js'
import { readDocument, retryOnConflict, writeDocument } from './document.js'
import type { Fields } from './fields.js'
import { ACCEPTED_CHANGES_KEY } from './keys.js'
import type { State } from './state.js'

/** All accepted changes, newest first. @throws {IngestError} `state_corrupt`, `state_version` */
export async function readAcceptedInState({ storage }: State): Promise<readonly AcceptedChange[]> {
  return (await readDocument(storage, ACCEPTED_CHANGES_KEY, parseAcceptedChanges))?.value ?? []
}

/** Replaces the accepted changes by compare-and-swap. */
export function updateAcceptedInState(
  state: State,
  change: (before: readonly AcceptedChange[]) => readonly AcceptedChange[],
): Promise<void> {
  return retryOnConflict(state, async () => {
    const found = await readDocument(state.storage, ACCEPTED_CHANGES_KEY, parseAcceptedChanges)
    const fields = { accepted: change(found?.value ?? []) }
    await writeDocument(state.storage, ACCEPTED_CHANGES_KEY, { fields, over: found?.stored })
  })
}

function parseAcceptedChanges(fields: Fields): readonly AcceptedChange[] {
  return fields.list('accepted', accepted => ({
    ...parseAct(accepted),
    id: accepted.text('id'),
    commit: accepted.text('commit'),
    series: accepted.texts('series'),
    note: accepted.text('note'),
    withdrawn: accepted.optional('withdrawn', name => parseAct(accepted.fields(name))),
  }))
}

function parseAct(fields: Fields): Act {
  return { by: fields.text('by'), at: fields.text('at') }
}
