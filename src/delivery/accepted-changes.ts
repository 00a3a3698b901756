/** Stores accepted changes: in the schema `vortex_ingest` of the database, or beside a state. */

import { MAX_NOTE, type AcceptedChange, type Act } from '../analysis/accepted-change.js'
import {
  acceptedChangesAccess,
  insertAcceptedChange,
  readAcceptedChanges,
  withdrawAcceptedChanges,
} from '../database/queries/accepted-changes.js'
import type { SqlSession } from '../database/session.js'
import { IngestError } from '../errors.js'
import { readAcceptedInState, updateAcceptedInState } from '../state/accepted-changes.js'
import { newId } from '../state/keys.js'
import type { State } from '../state/state.js'

/** Stores accepted changes. */
export interface AcceptedChangeStore {
  /** The database, server or state in words, without secrets. */
  readonly description: string
  /** All accepted changes, also withdrawn ones, newest first. */
  list(): Promise<readonly AcceptedChange[]>
  /** Does nothing when the same is accepted already. @returns the accepted change that is stored */
  add(accepted: AcceptedChange): Promise<AcceptedChange>
  /** Marks accepted changes as withdrawn, unless they already are. */
  withdraw(ids: readonly string[], act: Act): Promise<void>
}

/** The server is of an older version that has no routes for accepted changes. */
export class OldServerError extends IngestError {
  constructor(description: string) {
    super('target_misconfigured', `${description} does not keep accepted changes, because it runs an older version`, {
      hint: 'update vortex-ingest on the server, or keep accepted changes beside a state with --state',
    })
  }
}

export type Acceptance = Pick<AcceptedChange, 'commit' | 'series' | 'note' | 'by'>

/**
 * Records that a change is known, so that it does not fail again.
 * @param now milliseconds since 1970
 * @throws {IngestError} `usage` for a note that is blank or too long
 */
export async function acceptChange(
  store: AcceptedChangeStore,
  acceptance: Acceptance,
  now: number,
): Promise<AcceptedChange> {
  const { note } = acceptance
  if (note.trim() === '' || note.length > MAX_NOTE)
    throw new IngestError('usage', `a note must have 1 to ${MAX_NOTE} characters`, { hint: 'say why it is accepted' })
  return store.add(newAcceptedChange(acceptance, now))
}

/** @param now milliseconds since 1970 */
export function newAcceptedChange(acceptance: Acceptance, now: number): AcceptedChange {
  return { ...acceptance, id: newId(now), at: new Date(now).toISOString(), withdrawn: undefined }
}

const MIN_CHARACTERS = 4

/**
 * Withdraws accepted changes, which then count as new again.
 * @param name the id of an accepted change, or the start of the id of its commit
 * @throws {IngestError} `not_found` when nothing that is accepted has this name
 */
export async function withdrawAccepted(
  store: AcceptedChangeStore,
  name: string,
  act: Act,
): Promise<readonly AcceptedChange[]> {
  const isNamed = ({ id, commit, withdrawn }: AcceptedChange): boolean =>
    withdrawn === undefined && (id === name || (name.length >= MIN_CHARACTERS && commit.startsWith(name)))
  const named = (await store.list()).filter(isNamed)
  if (named.length === 0)
    throw new IngestError('not_found', `no accepted change of ${name} is in ${store.description}`, {
      hint: 'vortex-ingest changes accepted lists them',
    })
  await store.withdraw(
    named.map(({ id }) => id),
    act,
  )
  return named.map(accepted => ({ ...accepted, withdrawn: act }))
}

export function acceptedInDatabase(session: SqlSession, description: string): AcceptedChangeStore {
  return {
    description,
    list: () => readAcceptedChanges(session),
    async add(accepted) {
      await assertWritable(session, description)
      return insertAcceptedChange(session, accepted)
    },
    async withdraw(ids, act) {
      await assertWritable(session, description)
      await withdrawAcceptedChanges(session, ids, act)
    },
  }
}

async function assertWritable(session: SqlSession, description: string): Promise<void> {
  const access = await acceptedChangesAccess(session)
  if (access === 'write') return
  const { reason, hint } = READ_ONLY[access]
  throw new IngestError('target_misconfigured', `${description} cannot keep accepted changes: ${reason}`, { hint })
}

/** Why accepted changes cannot be written to a database, and what to do, by the access to its table. */
export const READ_ONLY = {
  none: {
    reason: 'there is no table for them',
    hint: 'create it with `vortex-ingest migrate --ordering`, or keep accepted changes in a state with --state',
  },
  read: {
    reason: 'this role may only read them',
    hint: 'use the role bench_ingest, or keep accepted changes in a state with --state',
  },
} as const

export function acceptedInState(state: State): AcceptedChangeStore {
  return {
    description: state.storage.description,
    list: () => readAcceptedInState(state),
    async add(accepted) {
      let stored = accepted
      await updateAcceptedInState(state, before => {
        const known = before.find(one => isSame(one, accepted))
        stored = known ?? accepted
        return known === undefined ? [accepted, ...before] : before
      })
      return stored
    },
    withdraw: (ids, act) =>
      updateAcceptedInState(state, before =>
        before.map(accepted =>
          ids.includes(accepted.id) && accepted.withdrawn === undefined ? { ...accepted, withdrawn: act } : accepted,
        ),
      ),
  }
}

function isSame(one: AcceptedChange, other: AcceptedChange): boolean {
  const content = ({ commit, series, note, by, withdrawn }: AcceptedChange) =>
    JSON.stringify([commit, series, note, by, withdrawn])
  return content(one) === content(other)
}
