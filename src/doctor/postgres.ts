/** Checks a Postgres target over the same connection as a push, without changing anything. */

import type { PostgresTargetConfig } from '../config/target.js'
import { IngestError } from '../errors.js'
import {
  describeAddress,
  describeEndpoint,
  parseDsn,
  type PostgresAddress,
  type Endpoint,
} from '../database/postgres/dsn.js'
import { readServerFacts, readServerTime } from '../database/queries/server-facts.js'
import { toPostgresError } from '../database/postgres/errors.js'
import { assertRole, INGEST_ROLE, type RolePolicy } from '../database/postgres/role.js'
import type { PostgresSession } from '../database/postgres/session.js'
import { readAuthorities, tlsOptions } from '../database/postgres/tls.js'
import { certificateFinding, presentedBy } from './certificate.js'
import { clockFinding } from './clock.js'
import { Connection } from './connection.js'
import { broken, fail, failure, known, ok, tolerated, warn, type Check, type Finding, type Group } from './finding.js'
import { grantFindings } from './grants.js'
import { namesCheck } from './names.js'
import { reachPostgres } from './reach.js'
import { schemaFindings } from './schema.js'

/** The checks of a Postgres target. Never throws, because an invalid DSN is a finding. */
export function postgresGroup(config: PostgresTargetConfig, now: () => Date): Group {
  try {
    const address = parseDsn(config.dsn, config)
    const connection = new Connection(address)
    const checks = [...networkChecks(address, now), ...sessionChecks(address, connection, config, now)]
    return { name: 'postgres', target: describeAddress(address), checks, close: () => connection.close() }
  } catch (error) {
    return broken('postgres', 'address', error)
  }
}

function networkChecks(address: PostgresAddress, now: () => Date): readonly Check[] {
  const endpoints = endpointsOf(address)
  const names = [...new Set(endpoints.map(({ host }) => host))].map(namesCheck)
  if (address.tls === 'off') {
    const finding = warn('not encrypted and not verified: --insecure-local', 'leave it out for anything but a trial')
    return [...names, known('certificate', finding)]
  }
  const checks = [...names, ...endpoints.map(endpoint => certificateCheck({ ...address, ...endpoint }, now))]
  if (endpoints.length === 1) return checks
  return checks.map(check => tolerated(check, 'the login tells whether one of the hosts will do; see to this one'))
}

function endpointsOf({ host, port, others = [] }: PostgresAddress): readonly Endpoint[] {
  return [{ host, port }, ...others]
}

/**
 * Checks the certificate of one host.
 * @param address the address of one host
 */
function certificateCheck(address: PostgresAddress, now: () => Date): Check {
  const trustHint = 'name the file of its authority: sslrootcert=FILE in the DSN, or PGSSLROOTCERT'
  const label = address.others === undefined ? '' : `${describeEndpoint(address)}: `
  return {
    name: 'certificate',
    async run(signal) {
      const options = tlsOptions(address, await readAuthorities(address)) || {}
      try {
        const presented = await presentedBy(await reachPostgres(address, signal), address.host, options)
        const finding = certificateFinding(presented, { now: now(), trustHint })
        return [{ ...finding, fact: `${label}${finding.fact}` }]
      } catch (error) {
        const meant = error instanceof IngestError ? error : toPostgresError(error, address)
        // Unreachable hosts are reported once, by the login check.
        return meant.code === 'target_unreachable' ? [] : [failure(meant)]
      }
    },
  }
}

function sessionChecks(
  address: PostgresAddress,
  connection: Connection,
  { rolePolicy }: PostgresTargetConfig,
  now: () => Date,
): readonly Check[] {
  const asking =
    (ask: (session: PostgresSession) => Promise<readonly Finding[]>): Check['run'] =>
    async signal => {
      const session = await connection.again(signal)
      return session === undefined ? [] : ask(session)
    }
  return [
    { name: 'login', timeoutMs: loginTimeoutMs(address), run: async signal => login(connection, signal) },
    { name: 'role', run: asking(session => roleFindings(session, rolePolicy)) },
    { name: 'grants', run: asking(grantFindings) },
    { name: 'schema', run: asking(schemaFindings) },
    { name: 'clock', run: asking(async session => [await clockOf(session, now)]) },
  ]
}

/** Time for trying each host in turn, plus time for creating an IAM token. */
function loginTimeoutMs(address: PostgresAddress): number {
  return (address.connectTimeoutMs ?? 10_000) * endpointsOf(address).length + 10_000
}

async function login(connection: Connection, signal: AbortSignal): Promise<readonly Finding[]> {
  const session = await connection.open(signal)
  const about = await readServerFacts(session)
  const accepted = ok(`it lets us in: Postgres ${about?.version ?? 'of an unknown version'}`)
  if (about?.readOnly !== true) return [accepted]
  const hint = 'it may be a replica: connect to the primary'
  return [accepted, fail('target_misconfigured', 'it takes no writes', hint)]
}

async function roleFindings(session: PostgresSession, policy: RolePolicy): Promise<readonly Finding[]> {
  const warnings: string[] = []
  await assertRole(session, policy, message => void warnings.push(message))
  if (warnings.length === 0) return [ok(`it is ${INGEST_ROLE}`)]
  return warnings.map(message => warn(message, `production writes as ${INGEST_ROLE}`))
}

async function clockOf(session: PostgresSession, now: () => Date): Promise<Finding> {
  const asked = now().getTime()
  const there = await readServerTime(session)
  return clockFinding({ there, asked, answered: now().getTime() }, 1)
}
