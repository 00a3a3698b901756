/** Connects to the first of several hosts that is reachable and accepts writes. */
import { IngestError } from '../../errors.js'
import { describeAddress, describeEndpoint, type PostgresAddress } from './dsn.js'
import { mayComeBack } from './errors.js'
import type { PostgresSession } from './session.js'

const READ_ONLY = `SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS "readOnly"`

/**
 * Tries the hosts in order, like libpq. The next host is tried when one is unreachable or read-only. Any other failure, such as
 * a rejected password or an unverified certificate, ends the search.
 * @throws {IngestError} the failure of a single host, or one error that lists the failures of all hosts
 */
export async function connectFirstUsable(
  { others, attributes, ...first }: PostgresAddress,
  connect: (address: PostgresAddress) => Promise<PostgresSession>,
): Promise<PostgresSession> {
  if (others === undefined) return connect(first)
  const failures: IngestError[] = []
  for (const endpoint of [{ host: first.host, port: first.port }, ...others]) {
    const address = { ...first, ...endpoint }
    try {
      const session = await connect(address)
      if (attributes === 'any' || !(await isReadOnly(session))) return session
      await session.close()
      failures.push(new IngestError('target_misconfigured', `${describeEndpoint(endpoint)}: takes no writes`))
    } catch (error) {
      if (!(error instanceof IngestError) || error.code !== 'target_unreachable') throw error
      failures.push(error)
    }
  }
  throw noUsableHost({ ...first, others }, failures)
}

/** Whether a server is read-only. Servers since version 14 report this at login; older ones are queried. */
async function isReadOnly(session: PostgresSession): Promise<boolean> {
  const reported = ['in_hot_standby', 'default_transaction_read_only'].map(name => session.parameter(name))
  if (!reported.includes(undefined)) return reported.includes('on')
  const [row] = await session.query<{ readOnly: boolean }>(READ_ONLY)
  return row?.readOnly ?? false
}

/** The error for all hosts. Its cause is a failure that a retry may fix, if there is one, so that the caller retries. */
function noUsableHost(address: PostgresAddress, failures: readonly IngestError[]): IngestError {
  const cause = failures.find(mayComeBack) ?? failures[0]
  const reasons = failures
    .map(({ message }) => message.replace(/^postgres:\/\/[^ ]*@([^ /]*)\/[^ ]*: /, '$1: '))
    .join('; ')
  const hint = cause?.hint ?? 'name the primary, or wait until one of them is'
  const message = `${describeAddress(address)}: none of the ${failures.length} hosts can be used: ${reasons}`
  return new IngestError(cause?.code ?? 'target_unreachable', message, { cause, hint })
}
