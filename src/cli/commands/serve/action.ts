/** `serve`: runs an ingest server over a store until it receives a signal. */

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { serveConfig, type ListenAddress, type ServeConfig, type ServeFlags } from './config.js'
import { wasmHash64 } from '../../../contract/hash64.js'
import { EXIT, IngestError, messageOf, systemCodeOf } from '../../../errors.js'
import type { Server } from '../../../server/app.js'
import type { Store } from '../../../server/store/store.js'
import type { Action, Context, Format } from '../../context.js'
import { assertOperatorToken, requiredToken } from './tokens.js'
import { openServeState, type ServeState } from './state.js'
import type { ServeReport } from '../../../reports/operations.js'

/** Folder of the browser page, next to the bundle. */
const PAGE_FOLDER = new URL('./page/', import.meta.url)
/** Time that running requests have to finish after a signal, in milliseconds. Later they are rolled back. */
const DRAIN_MS = 30_000
/** Additional time to roll back and to close the store, in milliseconds. */
const CLOSE_MS = 10_000

export const serve: Action<ServeFlags & { readonly format: Format }> = async (_args, flags, context) => {
  const config = serveConfig(flags, context.env)
  const token = await requiredToken(config.auth)
  assertOperatorToken(config, token)
  if (token === undefined) context.report.warning('--insecure-no-auth: anybody on this machine can write')
  const abandon = new AbortController()
  const store = await openStore(config, abandon.signal, context)
  let drained = true
  let state: ServeState | undefined
  try {
    context.signal.throwIfAborted()
    state = await openServeState(config, store, context)
    const server = await startServer(config, state, { token, context })
    if (!store.isOrdered) context.report.warning(notOrdered(store.description))
    announce(server, store, { token, version: config.version, format: flags.format, context })
    context.stopWithin(DRAIN_MS + CLOSE_MS)
    await untilAborted(context.signal)
    drained = await drain(server, { store, abandon, report: context.report })
  } finally {
    await store.close()
    await state?.close()
  }
  if (!drained) throw context.signal.reason
  return EXIT.done
}

function notOrdered(store: string): string {
  return `${store}: a late delivery can replace newer values; \`vortex-ingest migrate DSN --ordering\` prevents it`
}

async function openStore(
  { store, version }: ServeConfig,
  signal: AbortSignal,
  { env, random, report }: Context,
): Promise<Store> {
  if ('folder' in store) {
    const { embeddedStore } = await import('../../../server/store/embedded.js')
    return embeddedStore(store.folder, { signal })
  }
  const [{ postgresConfig, warnInsecure }, { postgresStore }] = await Promise.all([
    import('../../../targets/postgres/config.js'),
    import('../../../server/store/postgres.js'),
  ])
  const config = postgresConfig(store.options, env)
  const { address, insecureLocal, rolePolicy } = config
  warnInsecure(config, { onWarning: message => report.warning(message) })
  const onWarning = (message: string): void => {
    // The warning about the insecure connection has already said that any role may write.
    if (!insecureLocal) report.warning(message)
  }
  return postgresStore(address, { signal, random, version, rolePolicy, onWarning })
}

type Surroundings = { readonly token: string | undefined; readonly context: Context }

async function startServer(config: ServeConfig, state: ServeState, { token, context }: Surroundings): Promise<Server> {
  const { createServer, LIMITS } = await import('../../../server/app.js')
  const { version, revalidateToken, maxBodyBytes, listen } = config
  const server = createServer({
    ...{ store: state.store, operator: state.operator, onUnreachable: state.onUnreachable },
    ...{ version, token, revalidateToken, limits: { ...LIMITS, maxBodyBytes }, now: context.now },
    hash: await wasmHash64(),
    pageFolder: fileURLToPath(PAGE_FOLDER),
    log: entry => context.report.note(JSON.stringify(entry)),
  })
  try {
    // Passes a copy because fastify modifies the object.
    await server.app.listen({ ...listen })
    return server
  } catch (cause) {
    await server.app.close()
    throw cannotListen(listen, cause)
  }
}

function cannotListen(address: ListenAddress, cause: unknown): IngestError {
  const where = urlOf(address).slice('http://'.length)
  if (systemCodeOf(cause) === 'EADDRINUSE') {
    const hint = 'stop what listens there, or take another port; port 0 takes a free one'
    return new IngestError('target_busy', `cannot listen on ${where}: the port is taken`, { cause, hint })
  }
  const hint = 'check --listen: the address must be one of this machine, a port below 1024 needs rights'
  return new IngestError('config_invalid', `cannot listen on ${where}: ${messageOf(cause)}`, { cause, hint })
}

type Announcement = Surroundings & { readonly version: number; readonly format: Format }

function announce({ app }: Server, { description }: Store, announcement: Announcement): void {
  const { token, version, format, context } = announcement
  const { address, port } = app.server.address() as AddressInfo
  const url = urlOf({ host: address, port })
  if (format === 'human') return context.report.result(`listening on ${url} (contract version ${version})`)
  const auth = token === undefined ? 'none' : 'bearer'
  context.report.json<ServeReport>({
    ...{ command: 'serve', url, host: address, port, target: description, auth },
    ...{ schema_version: version, pid: process.pid },
  })
}

function urlOf({ host, port }: ListenAddress): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}

type Draining = { readonly store: Store; readonly abandon: AbortController; readonly report: Context['report'] }

/**
 * Stops accepting requests and waits for the running ones.
 * @returns whether all of them finished in time
 */
async function drain({ app, drain }: Server, { store, abandon, report }: Draining): Promise<boolean> {
  drain()
  const closed = app
    .close()
    .then(() => store.close())
    .then(() => true)
  const waiting = new AbortController()
  const late = sleep(DRAIN_MS, false, { signal: waiting.signal }).catch(() => false)
  try {
    if (await Promise.race([closed, late])) return true
  } catch (error) {
    report.warning(`${store.description} was not closed: ${messageOf(error)}`)
    throw error
  } finally {
    waiting.abort()
  }
  abandon.abort(new IngestError('terminated', 'the server stopped before this was done'))
  app.server.closeAllConnections()
  await closed
  return false
}
