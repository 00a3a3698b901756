/** Checks the ingest service with requests that change nothing. */

import { findProxyVariables, siteAddress } from '../../http/site-address.js'
import type { CheckWorld } from '../kind.js'
import { serverToken } from './config.js'
import type { ServerTargetOptions } from './options.js'
import type { Environment } from '../../commit/ci.js'
import { CONTRACTS, SCHEMA_VERSION } from '../../contract/kinds.js'
import { IngestError } from '../../errors.js'
import { describeServer, parseServerUrl, routeUrl, type HttpAddress, isLoopback } from '../../http/address.js'
import { agentFor, verifiedTls } from '../../http/agent.js'
import { parseApplied } from './envelope-answer.js'
import { connectionError } from '../../http/connection-error.js'
import { exchange, type HttpAnswer, type HttpRequest } from '../../http/exchange.js'
import { jsonObject, statusWithText } from '../../http/answer-text.js'
import { certificateFinding, presentedBy } from '../../doctor/certificate.js'
import { clockFinding, type ClockReading, namesCheck, reach, reachThrough } from '../../doctor/network.js'
import { fail, toFinding, known, ok, warn, type Check, type CheckGroup, type Finding } from '../../doctor/finding.js'

const SILENCE_MS = 8_000

/** An invalid token or proxy is a finding. @throws {IngestError} `usage` for an invalid address */
export async function serverChecks(options: ServerTargetOptions, world: CheckWorld): Promise<Omit<CheckGroup, 'name'>> {
  const { env } = world
  const base = parseServerUrl(options.server ?? '')
  const target = describeServer(base)
  const token = await serverToken(base, options, env).then(
    value => ({ value, problem: undefined }),
    (error: unknown) => ({ value: undefined, problem: toFinding(error) }),
  )
  try {
    const address = await siteAddress(base, token.value, env)
    const tokenChecks = token.problem === undefined ? [tokenCheck(address)] : [known('token', token.problem)]
    return { target, checks: [...addressChecks(address, world), ...tokenChecks] }
  } catch (error) {
    return { target, checks: [known('proxy', toFinding(error))] }
  }
}

function addressChecks(address: HttpAddress, { env, now }: CheckWorld): readonly Check[] {
  const { base, proxy } = address
  let clock: ClockReading | undefined
  const onClock = (reading: ClockReading): void => void (clock = reading)
  return [
    known('address', addressFinding(base)),
    known('proxy', ok(proxyFact(address, env))),
    namesCheck((proxy ?? base).hostname),
    ...(base.protocol === 'https:' ? [certificateCheck(address, now)] : []),
    { name: 'health', run: signal => healthFindings(address, { now, onClock, signal }) },
    // The Date header has a resolution of one second.
    { name: 'clock', run: async () => (clock === undefined ? [] : [clockFinding(clock, 1000)]) },
  ]
}

function addressFinding(base: URL): Finding {
  if (base.protocol === 'https:') return ok('encrypted and verified')
  if (isLoopback(base.hostname)) return ok('not encrypted, on this machine')
  return warn('the token and the records go there unencrypted', 'give an https:// address in --server')
}

function proxyFact({ base, proxy }: HttpAddress, env: Environment): string {
  const { variables, exceptions } = findProxyVariables(base, env)
  if (proxy !== undefined) return `through ${proxy.protocol}//${proxy.host} (${variables[0] ?? 'the environment'})`
  if (variables.length > 0) return `none: ${exceptions ?? 'NO_PROXY'} excepts this host from ${variables.join(', ')}`
  return 'none'
}

function certificateCheck({ base, proxy, authorities }: HttpAddress, now: () => Date): Check {
  const trustHint = 'name the PEM file of its authority in NODE_EXTRA_CA_CERTS or SSL_CERT_FILE'
  const endpoint = { host: base.hostname.replace(/^\[|\]$/g, ''), port: Number(base.port || 443) }
  return {
    name: 'certificate',
    async run(signal) {
      const trust = await verifiedTls(authorities)
      try {
        const socket = await (proxy === undefined
          ? reach(endpoint, signal)
          : reachThrough({ ...endpoint, proxy, trust }, signal))
        return [certificateFinding(await presentedBy(socket, endpoint.host, trust), { now: now(), trustHint })]
      } catch (error) {
        const meant = error instanceof IngestError ? error : connectionError(error, { url: base, sent: false })
        // An unreachable server is reported once, by the health check.
        return meant.code === 'target_unreachable' ? [] : [toFinding(meant)]
      }
    },
  }
}

type Asking = {
  readonly now: () => Date
  readonly onClock: (reading: ClockReading) => void
  readonly signal: AbortSignal
}

async function healthFindings(address: HttpAddress, { now, onClock, signal }: Asking): Promise<readonly Finding[]> {
  const asked = now().getTime()
  const answer = await ask(address, { method: 'GET', path: '/health', signal })
  const there = Date.parse(answer.headers.date ?? '')
  if (!Number.isNaN(there)) onClock({ there, asked, answered: now().getTime() })
  return [healthFinding(answer), ...orderingFindings(answer)]
}

function healthFinding(answer: HttpAnswer): Finding {
  const { status, text } = answer
  const { schema_version: version, store, error } = jsonObject(text) ?? {}
  if (status === 503) {
    if (error === 'store_unreachable')
      return fail('target_failed', 'the service runs, but cannot reach its store', 'look at its log')
    return fail(
      'target_failed',
      `GET /health answered ${statusWithText(answer)}`,
      'look at the log of what answers there',
    )
  }
  if (status !== 200 || typeof version !== 'number') {
    const fact = `GET /health answered ${statusWithText(answer)}, not as vortex-ingest serve does`
    return warn(fact, 'other ingest services may lack this route: the token check shows whether one answers')
  }
  const kind = (store as { kind?: unknown } | undefined)?.kind
  return versionFinding(`it runs${typeof kind === 'string' ? `, its store (${kind}) answers` : ''}`, version)
}

/** A warning when the server lets late deliveries replace newer values; none for a server that does not say. */
function orderingFindings({ status, text }: HttpAnswer): readonly Finding[] {
  const { store } = (status === 200 ? jsonObject(text) : undefined) ?? {}
  if ((store as { ordered?: unknown } | undefined)?.ordered !== false) return []
  const hint = 'run `vortex-ingest migrate DSN --ordering` on its database, then restart the server'
  return [warn('a late delivery can replace newer values there', hint)]
}

function versionFinding(fact: string, version: number): Finding {
  const stated = `${fact}, contract version ${version}`
  if (version === SCHEMA_VERSION) return ok(stated)
  if (CONTRACTS.has(version))
    return warn(`${stated}: newer files are refused`, 'upgrade the server, or push newer files with --downgrade')
  const hint = 'use a version of vortex-ingest that knows it'
  return fail('schema_version', `${stated}, which this program does not know`, hint)
}

/** A body that every ingest service refuses, so that nothing is applied. A service that refuses it has accepted the token. */
const NO_ENVELOPE = Buffer.from('null')

function tokenCheck(address: HttpAddress): Check {
  const { token } = address
  const run: Check['run'] = async signal => {
    const answer = await ask(address, { method: 'POST', path: '/api/ingest', signal })
    try {
      parseApplied(answer, { ...address, records: 0 })
    } catch (error) {
      if (!(error instanceof IngestError)) throw error
      if (error.code === 'auth_failed' && token === undefined) return [noToken(error)]
      if (error.code !== 'bad_data') return [toFinding(error)]
      if (refusesBody(answer))
        return [ok(token === undefined ? 'none is set, and none is asked for' : 'it is accepted')]
    }
    const fact = `POST /api/ingest answered ${statusWithText(answer, token)} to a body of null, not as an ingest service does`
    return [warn(fact, 'something else may answer there: check --server')]
  }
  return { name: 'token', run }
}

/**
 * Whether a 400 is the answer of an ingest service to a body that is not an envelope: JSON such as `{"error":"malformed"}`,
 * with or without a message, or plain text about the JSON. The reference server answers in plain text.
 */
function refusesBody({ text, headers }: HttpAnswer): boolean {
  const body = jsonObject(text)
  if (body !== undefined) return typeof body['error'] === 'string' || typeof body['message'] === 'string'
  return /^text\/plain\b/i.test(headers['content-type'] ?? '') && /\bjson\b|\bbody\b|\bpars(?:e|ing)\b/i.test(text)
}

function noToken({ code, message }: IngestError): Finding {
  return fail(code, `${message}; none is set`, 'set INGEST_BEARER_TOKEN, or give --token-env or --token-file')
}

type Question = { readonly path: string; readonly signal: AbortSignal } & Pick<HttpRequest, 'method'>

/** Sends a single request without retries, because the user wants to see the first failure. Only a POST sends the token. */
async function ask(address: HttpAddress, { method, path, signal }: Question): Promise<HttpAnswer> {
  const agent = await agentFor(address)
  const authorization = address.token === undefined ? {} : { authorization: `Bearer ${address.token}` }
  const length = { 'content-length': NO_ENVELOPE.length }
  const headers = method === 'GET' ? {} : { 'content-type': 'application/json', ...length, ...authorization }
  const request = { method, url: routeUrl(address.base, path), headers, agent, idleTimeoutMs: SILENCE_MS, signal }
  try {
    return await exchange(method === 'GET' ? request : { ...request, body: once(NO_ENVELOPE) })
  } finally {
    agent.destroy()
  }
}

async function* once(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
  yield chunk
}
