/** Stores accepted changes: in the schema `vortex_ingest` of the database, or beside a state. */

import type { AcceptedChange, Act } from '../analysis/accepted-change.js'
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
  add(accepted: AcceptedChange): Promise<void>
  /** Marks accepted changes as withdrawn, unless they already are. */
  withdraw(ids: readonly string[], act: Act): Promise<void>
}

export type Acceptance = Pick<AcceptedChange, 'commit' | 'series' | 'note' | 'by'>

/**
 * Records that a change is known, so that it does not fail again.
 * @param now milliseconds since 1970
 */
export async function acceptChange(
  store: AcceptedChangeStore,
  acceptance: Acceptance,
  now: number,
): Promise<AcceptedChange> {
  const accepted = { ...acceptance, id: newId(now), at: new Date(now).toISOString(), withdrawn: undefined }
  await store.add(accepted)
  return accepted
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
      await insertAcceptedChange(session, accepted)
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
  const reason = access === 'none' ? 'there is no table for them' : 'this role may only read them'
  const hint =
    access === 'none'
      ? 'create it with `vortex-ingest migrate --ordering`, or keep accepted changes in a state with --state'
      : 'use the role bench_ingest, or keep accepted changes in a state with --state'
  throw new IngestError('target_misconfigured', `${description} cannot keep accepted changes: ${reason}`, { hint })
}

export function acceptedInState(state: State): AcceptedChangeStore {
  return {
    description: state.storage.description,
    list: () => readAcceptedInState(state),
    add: accepted => updateAcceptedInState(state, before => [accepted, ...before]),
    withdraw: (ids, act) =>
      updateAcceptedInState(state, before =>
        before.map(accepted =>
          ids.includes(accepted.id) && accepted.withdrawn === undefined ? { ...accepted, withdrawn: act } : accepted,
        ),
      ),
  }
}
