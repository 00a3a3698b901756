/**
 * Checks and revokes the membership of `bench_read` in `rds_iam`. On RDS a member of `rds_iam` can only log in with a token,
 * but `bench_read` logs in with a password. Earlier builds of this program granted the membership.
 * @see contract section 5
 */

import { MAY_MAKE_ROLES, type Need } from './migration-files.js'
import type { SqlSession } from './session.js'

/** Excludes superusers, which count as members of every role but still log in with a password. */
const IS_MEMBER = `
  SELECT pg_has_role(reader.oid, tokens.oid, 'MEMBER') AS "isMember",
    EXISTS (SELECT FROM pg_auth_members WHERE roleid = tokens.oid AND member = reader.oid) AS "isDirect"
  FROM pg_roles AS reader, pg_roles AS tokens
  WHERE reader.rolname = 'bench_read' AND NOT reader.rolsuper AND tokens.rolname = 'rds_iam'`

/** Revokes every grant. Since Postgres 16 a grant must be revoked in the name of the role that granted it. */
const REVOKE = `
  DO $$
  DECLARE
    granted record;
  BEGIN
    FOR granted IN
      SELECT pg_get_userbyid(grantor) AS by_role FROM pg_auth_members
      WHERE pg_get_userbyid(roleid) = 'rds_iam' AND pg_get_userbyid(member) = 'bench_read'
    LOOP
      IF current_setting('server_version_num')::int >= 160000 THEN
        EXECUTE format('REVOKE rds_iam FROM bench_read GRANTED BY %I', granted.by_role);
      ELSE
        REVOKE rds_iam FROM bench_read;
      END IF;
    END LOOP;
  END
  $$`

/** `direct`: granted to `bench_read` itself. `inherited`: only through another role. */
export type TokenMembership = 'none' | 'direct' | 'inherited'

/** Whether `bench_read` is a member of `rds_iam`. Only reads. */
export async function readTokenMembership(session: SqlSession): Promise<TokenMembership> {
  const [row] = await session.query<{ isMember: boolean; isDirect: boolean }>(IS_MEMBER)
  if (row?.isMember !== true) return 'none'
  return row.isDirect ? 'direct' : 'inherited'
}

/** The right that `revokeTokenMembership` requires, in the form of a migration's rights. */
export const REVOKE_RIGHTS: { readonly name: string; readonly needs: readonly Need[] } = {
  name: 'revoking rds_iam from bench_read',
  needs: [{ right: 'CREATEROLE', condition: `(${MAY_MAKE_ROLES})` }],
}

/** Revokes a direct membership of `bench_read` in `rds_iam`, whichever roles granted it. */
export async function revokeTokenMembership(session: SqlSession): Promise<void> {
  await session.execute(REVOKE)
}
