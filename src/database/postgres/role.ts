/** Checks the database role. The contract's role has no more rights than this program needs. */
import { IngestError } from '../../errors.js'
import type { PostgresSession } from './session.js'

/** The role that records are written with. @see contract section 4 */
export const INGEST_ROLE = 'bench_ingest'

export type RolePolicy = typeof INGEST_ROLE | 'any'

/**
 * Rejects roles other than `bench_ingest`, or with the policy `any` only warns about them. The check needs no round trip if the
 * server reports the login role. Otherwise the current role is queried, because a login may act as `bench_ingest`
 * (`ALTER ROLE … SET role`).
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
    hint: `log in as ${INGEST_ROLE}, which has only the rights that a push needs, or use --role-policy any`,
  })
}

async function currentRole(session: PostgresSession): Promise<string> {
  const [row] = await session.query<{ role: string }>('SELECT current_user::text AS role')
  return row?.role ?? ''
}
