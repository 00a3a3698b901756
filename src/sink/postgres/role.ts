/** Who may write: the role of the contract, which can do no more than this program needs. */
import { IngestError } from '../../errors.js'
import type { PostgresSession } from './session.js'

/** @see contract section 4 */
export const INGEST_ROLE = 'bench_ingest'

export type RolePolicy = typeof INGEST_ROLE | 'any'

/**
 * Refuses another role than `bench_ingest`, or with `any` only tells of it. It costs no round trip where the server says
 * by itself who logged in; a login that acts as `bench_ingest` (`ALTER ROLE … SET role`) is found out by asking.
 * @throws {IngestError} `target_misconfigured`
 */
export async function assertRole(
  session: PostgresSession,
  policy: RolePolicy,
  warn: (message: string) => void,
): Promise<void> {
  const login = session.parameter('session_authorization')
  if (login === INGEST_ROLE) return
  const role = await currentRole(session)
  if (role === INGEST_ROLE) return
  if (policy === 'any')
    return warn(`${session.description}: the role ${role} writes, not ${INGEST_ROLE} (--role-policy any)`)
  throw new IngestError('target_misconfigured', `${session.description}: the role is ${role}, not ${INGEST_ROLE}`, {
    hint: `log in as ${INGEST_ROLE}, which may do no more than a push needs, or give --role-policy any`,
  })
}

async function currentRole(session: PostgresSession): Promise<string> {
  const [row] = await session.query<{ role: string }>('SELECT current_user::text AS role')
  return row?.role ?? ''
}
