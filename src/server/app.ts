/** The HTTP server: registers the routes and defines the checks, headers and error answers that all of them share. */

import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { failureCause, IngestError, sqlStateOf } from '../errors.js'
import type { Hash64 } from '../contract/hash64.js'
import { BUSY, SHUTTING_DOWN, type Answer } from './answer.js'
import { OverloadedError } from './budget.js'
import {
  answerClientError,
  isLingering,
  lingerAfterResponse,
  noteRequest,
  trackUnusedConnections,
} from './connection.js'
import { Ingest } from './ingest.js'
import { addAcceptedChangeRoutes } from './accepted-changes.js'
import { bodyBudgets } from './receive-body.js'
import { BadParameter } from './read/parameters.js'
import { cacheAnswers } from './read/answer-cache.js'
import { addBadgeRoute } from './read/badge.js'
import { addChangesRoute } from './read/changes.js'
import { addHealthRoute } from './read/health.js'
import { addPageRoutes } from './page-routes.js'
import { addDeliveriesRoute } from './read/deliveries.js'
import { addHistoryRoutes } from './read/history.js'
import { addSeriesRoute } from './read/series.js'
import { ReadMemory } from './read/read-memory.js'
import { addReadRoutes } from './read/routes.js'
import { RecentPushes, RequestLog } from './request-log.js'
import { readMainLine } from '../database/queries/main-line.js'
import type { Store } from './store/store.js'
import { continueIfAsked, requireToken, unauthorized, createTokenCheck } from './bearer-token.js'
import { refuseCrossSite } from './refuse-cross-site.js'
import type { Operator } from './operator/operator-route.js'
import { addOperatorRoutes } from './operator/routes.js'
import { otherMethods, RouteList, type KnownRoute } from './route-list.js'
import type { ServeLogLine } from '../reports/operations.js'

export type ServerLimits = {
  readonly maxBodyBytes: number
  /** Time limit for receiving the headers of a request. */
  readonly headersTimeoutMs: number
  /** Time limit for receiving a whole request. */
  readonly requestTimeoutMs: number
  /** Longest pause between two parts of a body. */
  readonly stallMs: number
}

export const LIMITS: ServerLimits = {
  maxBodyBytes: 64 * 1024 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 300_000,
  stallMs: 30_000,
}

export type AppOptions = {
  readonly store: Store
  readonly hash: Hash64
  /** The contract version of the accepted envelopes and of the answers. The store may have a newer version. */
  readonly version: number
  /** Token for writing. Without it, no token is required. */
  readonly token: string | undefined
  readonly revalidateToken: string | undefined
  readonly limits: ServerLimits
  /** Folder that holds the built page. */
  readonly pageFolder: string
  readonly log: (entry: ServeLogLine) => void
  readonly now: () => Date
  /** State and token of the operator API. Without it, the server has no operator routes. */
  readonly operator?: Operator | undefined
  /** Called when `/health` cannot reach the store. */
  readonly onUnreachable?: (error: unknown) => void
}

export type Server = {
  readonly app: FastifyInstance
  /** All registered routes, without the automatic 405 answers for other methods. */
  readonly routes: readonly KnownRoute[]
  /**
   * Answers every new request with 503 and `Retry-After`, and closes each connection after its current answer. Connections
   * without any request are closed at once.
   */
  readonly drain: () => void
}

/** Default response headers. A header that the route sets itself takes precedence. */
const HEADERS = [
  ['x-content-type-options', 'nosniff'],
  ['content-security-policy', "default-src 'none'"],
  ['referrer-policy', 'no-referrer'],
  ['cache-control', 'no-store'],
] as const

export function createServer(options: AppOptions): Server {
  const pushes = new RecentPushes(options.now)
  const log = new RequestLog({ ...options, log: entry => (pushes.note(entry), options.log(entry)) })
  let draining = false
  const finish = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const unread = hasBody(request) && !request.raw.complete
    if (unread) lingerAfterResponse(reply.raw)
    if (draining || unread) reply.header('connection', 'close')
    for (const [name, value] of HEADERS) if (!reply.hasHeader(name)) reply.header(name, value)
    return reply
  }
  // fastify runs no hooks for a path that cannot be decoded, so the log entry and headers are added here.
  const app = emptyApp(options.limits, (request, reply) => {
    log.begin(reply.raw, request.method, () => undefined)
    log.note(reply.raw, { error: 'bad_request' })
    finish(request, reply).code(400).send({ error: 'bad_request' })
  })
  app.addHook('onRequest', async (request, reply) => {
    // Data that arrives on a connection that is closing is the unread rest of a body, not a new request.
    if (isLingering(request.raw.socket)) return reply.hijack()
    log.begin(reply.raw, request.method, () => (request.is404 ? undefined : request.routeOptions.url))
    if (draining) return reply.code(SHUTTING_DOWN.status).headers(SHUTTING_DOWN.headers).send(SHUTTING_DOWN.body)
  })
  if (options.token === undefined) app.addHook('onRequest', refuseCrossSite)
  app.addHook('onSend', async (request, reply, payload) => {
    finish(request, reply)
    noteError(log, reply, payload)
  })
  addFailures(app, log)
  const list = new RouteList(app)
  addRoutes(app, options, log)
  pushes.addRoute(app)
  addDocument(app, list, options.version)
  for (const other of otherMethods(list.seal())) app.route(other)
  const closeUnused = trackUnusedConnections(app.server)
  const drain = (): void => {
    draining = true
    closeUnused()
  }
  return { app, routes: list.routes, drain }
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

type Refuse = (request: FastifyRequest, reply: FastifyReply) => void

function emptyApp({ headersTimeoutMs, requestTimeoutMs, stallMs }: ServerLimits, refuse: Refuse): FastifyInstance {
  const connectionsCheckingInterval = Math.min(1_000, headersTimeoutMs, stallMs)
  const app = fastify({
    logger: false,
    requestTimeout: requestTimeoutMs,
    http: { headersTimeout: headersTimeoutMs, connectionsCheckingInterval },
    routerOptions: { maxParamLength: 4_096 },
    return503OnClosing: false,
    clientErrorHandler: answerClientError,
    frameworkErrors: (_error, request, reply) => refuse(request as FastifyRequest, reply as FastifyReply),
  })
  // fastify must not read bodies itself, because a route first decides from the headers whether to read the body at all.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  // Routes a request with `Expect: 100-continue` as usual, so that a refusal can be sent without asking for the body.
  app.server.on('request', (_request, response) => noteRequest(response))
  app.server.on('checkContinue', (request, response) => {
    noteRequest(response)
    app.routing(request, response)
  })
  return app
}

function addFailures(app: FastifyInstance, log: RequestLog): void {
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'not_found' }))
  app.setErrorHandler((error: Error & { readonly statusCode?: number }, _request, reply) => {
    if (error instanceof OverloadedError) return reply.code(BUSY.status).headers(BUSY.headers).send(BUSY.body)
    if (error instanceof BadParameter) return reply.code(400).send({ error: 'bad_request', message: error.message })
    const status = error.statusCode ?? 500
    if (status === 415) return reply.code(415).send({ error: 'unsupported_media_type' })
    if (status >= 400 && status < 500) return reply.code(status).send({ error: 'bad_request' })
    log.noteFailure(reply.raw, error)
    return reply.code(500).send({ error: 'internal', ...lastingReason(error) })
  })
}

/**
 * Tells a client that repeating the request does not help, because the store refuses the records or cannot hold a value. The
 * cause itself is only in the log. A store that is read-only may be in a failover, so it has no lasting reason.
 * @see docs/server.md
 */
function lastingReason(error: unknown): { readonly reason?: 'refused' | 'data' } {
  if (!(error instanceof IngestError) || failureCause(error.code) !== 'refuses') return {}
  if (sqlStateOf(error)?.startsWith('25') === true) return {}
  return { reason: error.code === 'bad_data' ? 'data' : 'refused' }
}

function noteError(log: RequestLog, reply: FastifyReply, payload: unknown): void {
  if (reply.statusCode < 400 || typeof payload !== 'string') return
  const { error } = JSON.parse(payload) as { readonly error?: unknown }
  log.note(reply.raw, { error })
}

function addRoutes(app: FastifyInstance, options: AppOptions, log: RequestLog): void {
  const { store, revalidateToken, limits } = options
  const budgets = bodyBudgets(limits.maxBodyBytes)
  const ingest = new Ingest({ ...options, ...limits, budgets })
  let writes = 0
  const onBroken = (reply: FastifyReply, error: unknown): void => log.noteFailure(reply.raw, error)
  const onUnreachable = (reply: FastifyReply, error: unknown): void => {
    onBroken(reply, error)
    options.onUnreachable?.(error)
  }
  const send = (reply: FastifyReply, { status, body, headers = {}, facts, cause }: Answer): FastifyReply => {
    log.note(reply.raw, { facts })
    if (cause !== undefined) log.noteFailure(reply.raw, cause)
    return reply.code(status).headers(headers).send(body)
  }
  app.post('/api/ingest', { onRequest: requireToken(options.token) }, async (request, reply) => {
    const applied = ingest.answer(request.raw, () => continueIfAsked(request, reply))
    const sent = applied.then(answer => {
      if (answer.status === 200) writes++
      return send(reply, answer)
    })
    log.waitFor(reply.raw, sent)
    return sent
  })
  app.post('/api/revalidate', async (request, reply) => {
    if (revalidateToken === undefined) return reply.code(503).send({ error: 'not_configured' })
    if (!createTokenCheck(revalidateToken)(request.headers.authorization)) return unauthorized(reply)
    return { revalidated: true }
  })
  addHealthRoute(app, { store, version: options.version, send, onUnreachable })
  const memory = new ReadMemory(limits.stallMs)
  const freshness = { writes: () => writes, now: options.now }
  const mainLine = cacheAnswers(wanted => store.read(session => readMainLine(session, Number(wanted))), {
    ...freshness,
    most: 3,
  })
  const reading = { store, memory, onBroken, ...freshness, mainLine: (wanted: number) => mainLine(String(wanted)) }
  addReadRoutes(app, reading)
  addHistoryRoutes(app, reading)
  addDeliveriesRoute(app, reading)
  addBadgeRoute(app, reading)
  addChangesRoute(app, reading)
  addSeriesRoute(app, reading)
  const writing = { token: options.token, operatorToken: options.operator?.token, limits: { ...limits, budgets } }
  addAcceptedChangeRoutes(app, { ...reading, ...writing, onFailure: onBroken, onChange: () => void writes++ })
  const greeting = { service: 'vortex-ingest', schema_version: options.version }
  addPageRoutes(app, { folder: options.pageFolder, greeting })
  if (options.operator !== undefined)
    addOperatorRoutes(app, { operator: options.operator, limits: writing.limits, onFailure: onBroken })
}

/** Loads the OpenAPI code on the first request and builds the document on each, because it is rarely requested. */
function addDocument(app: FastifyInstance, { routes }: RouteList, version: number): void {
  app.get('/openapi.json', async (_request, reply) => {
    const { openApiDocument } = await import('./openapi/document.js')
    return reply.type('application/json; charset=utf-8').send(openApiDocument(routes, version))
  })
}
