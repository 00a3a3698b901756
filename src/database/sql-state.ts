/** Sorts the errors of Postgres by SQLSTATE: the database is down, it refuses for good, or it cannot hold the data. */

import type { ErrorCode } from '../errors.js'

export type StateMeaning = { readonly code: ErrorCode; readonly hint?: string }

const CONSTRAINT_HINT =
  'the table has a constraint, trigger or rule that the contract does not have: drop it, or give the column a default'
const LENGTH_HINT = '`vortex-ingest migrate --check` lists columns that differ from the contract'

/** The meaning of a SQLSTATE. A state that is not known to pass by itself counts as refused for good. */
export function meaningOfState(state: string): StateMeaning {
  return BY_STATE[state] ?? BY_CLASS[state.slice(0, 2)] ?? { code: 'target_refused' }
}

const BY_STATE: Readonly<Record<string, StateMeaning>> = {
  // An invalid value of a setting, not of a column.
  '22023': { code: 'target_misconfigured' },
  '23505': { code: 'target_refused', hint: 'the table has a unique index that the contract does not have: drop it' },
  // A failed statement before it is the reason, and its error is reported instead wherever it is known.
  '25P02': { code: 'target_failed' },
  '25P03': {
    code: 'target_failed',
    hint: 'idle_in_transaction_session_timeout is too short, or this machine too slow',
  },
  '25P04': { code: 'target_failed', hint: 'transaction_timeout is too short for this file' },
  // A text is too long for an index, or a value is too large for a row.
  '54000': { code: 'bad_data', hint: 'a text of a record is too long for an index of the table' },
  '55006': { code: 'target_busy' },
  '55P03': { code: 'target_busy', hint: 'try again when fewer writers run, or with a longer lock_timeout' },
}

/** Meanings by the class of a SQLSTATE, its first two characters. */
const BY_CLASS: Readonly<Record<string, StateMeaning>> = {
  '08': { code: 'target_unreachable', hint: 'try again' },
  '22': { code: 'bad_data', hint: LENGTH_HINT },
  '23': { code: 'target_refused', hint: CONSTRAINT_HINT },
  '25': { code: 'target_misconfigured' },
  '28': { code: 'auth_failed', hint: 'check user, database and what pg_hba.conf allows from here' },
  '3D': { code: 'target_misconfigured' },
  '3F': { code: 'target_misconfigured' },
  '40': { code: 'target_busy', hint: 'try again when fewer writers run' },
  '42': { code: 'target_misconfigured' },
  '53': { code: 'target_failed' },
  '57': { code: 'target_unreachable', hint: 'the server is stopping or starting: try again' },
  '58': { code: 'target_failed' },
  P0: { code: 'target_refused' },
  XX: { code: 'target_failed' },
}
