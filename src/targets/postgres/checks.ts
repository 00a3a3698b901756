/** Checks a Postgres target over the same connection as a push, without changing anything. */

import { IngestError } from '../../errors.js'
import { describeAddress, describeEndpoint, type PostgresAddress, type Endpoint } from '../../database/postgres/dsn.js'
import { readCommitSetting, readServerFacts, readServerTime } from '../../database/queries/server-facts.js'
import { hasOrdering, hasOriginColumns } from '../../database/ordering.js'
import { toPostgresError } from '../../database/postgres/errors.js'
import { assertRole, INGEST_ROLE, type RolePolicy } from '../../database/postgres/role.js'
import { type PostgresSession, connectPostgres } from '../../database/postgres/connect.js'
import { readAuthorities, tlsOptions } from '../../database/postgres/tls.js'
import { certificateFinding, presentedBy } from '../../doctor/certificate.js'
import { clockFinding, namesCheck, reachPostgres } from '../../doctor/network.js'
import {
  fail,
  known,
  ok,
  tolerated,
  warn,
  type Check,
  type Finding,
  toFinding,
  type CheckGroup,
} from '../../doctor/finding.js'
import { grantFindings, schemaFindings } from './grants.js'
import type { PostgresConfig } from './config.js'

export function postgresChecks(config: PostgresConfig, now: () => Date): Omit<CheckGroup, 'name'> {
  const { address } = config
  const connection = new Connection(address)
  const checks = [...networkChecks(address, now), ...sessionChecks(connection, config, now)]
  return { target: describeAddress(address), checks, close: () => connection.close() }
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
        return meant.code === 'target_unreachable' ? [] : [toFinding(meant)]
      }
    },
  }
}

function sessionChecks(
  connection: Connection,
  { address, rolePolicy }: PostgresConfig,
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
    { name: 'durability', run: asking(async session => [await durabilityOf(session)]) },
    { name: 'ordering', run: asking(async session => [await orderingOf(session)]) },
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
  return [accepted, fail('target_misconfigured', 'it is read-only', hint)]
}

async function roleFindings(session: PostgresSession, policy: RolePolicy): Promise<readonly Finding[]> {
  const warnings: string[] = []
  await assertRole(session, policy, message => void warnings.push(message))
  if (warnings.length === 0) return [ok(`it is ${INGEST_ROLE}`)]
  return warnings.map(message => warn(message, `production writes as ${INGEST_ROLE}`))
}

async function durabilityOf(session: PostgresSession): Promise<Finding> {
  const found = await readCommitSetting(session)
  if (found?.setting !== 'off') return ok('a commit is on disk when it is acknowledged')
  const hint = 'reset synchronous_commit for the role or the database'
  const fact = `synchronous_commit is off (set by: ${found.source}): a push turns it on for itself, other programs may lose commits`
  return warn(fact, hint)
}

async function orderingOf(session: PostgresSession): Promise<Finding> {
  const hint = '`vortex-ingest migrate --ordering` creates or repairs the schema'
  if (await hasOrdering(session)) {
    if (await hasOriginColumns(session)) return ok('a late delivery cannot replace newer values')
    return warn('a late delivery cannot replace newer values, but where values come from is not stored', hint)
  }
  const fact = 'the role cannot use the schema vortex_ingest: a late delivery may replace newer values'
  return warn(fact, hint)
}

async function clockOf(session: PostgresSession, now: () => Date): Promise<Finding> {
  const asked = now().getTime()
  const there = await readServerTime(session)
  return clockFinding({ there, asked, answered: now().getTime() }, 1)
}

/** Shorter than the timeout of a check, so that a server that does not answer fails the query, not the whole check. */
const SILENCE_MS = 8_000

/** The connection shared by all checks. It is opened again when a check has lost it. */
class Connection {
  readonly #address: PostgresAddress
  #session: PostgresSession | undefined

  constructor(address: PostgresAddress) {
    this.#address = address
  }

  /**
   * Connects and logs in.
   * @throws {IngestError} the error that a push would get
   */
  async open(signal: AbortSignal): Promise<PostgresSession> {
    const limits = { queryTimeoutMs: SILENCE_MS, answerTimeoutMs: SILENCE_MS }
    return (this.#session = await connectPostgres(this.#address, { ...limits, signal }))
  }

  /** The session, reconnected if it was lost. Undefined when the first login failed, which has been reported. */
  async again(signal: AbortSignal): Promise<PostgresSession | undefined> {
    return this.#session?.isLost === true ? this.open(signal) : this.#session
  }

  async close(): Promise<void> {
    await this.#session?.close()
  }
}
