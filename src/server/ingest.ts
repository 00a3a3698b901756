/** `POST /api/ingest`: checks a whole envelope, then applies it in one transaction. */

import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import { ANCESTRY_HEADER, parseAncestry, type Ancestry } from '../contract/ancestry.js'
import { ORIGIN_HEADER, parseOrigin, type DeliveryOrigin } from '../contract/delivery-origin.js'
import { GENERATION_HEADER, ORDERED_HEADER, parseGeneration, SUPERSEDED_HEADER } from '../contract/generation.js'
import type { Hash64 } from '../contract/hash64.js'
import { quote } from '../contract/problem.js'
import { isTimestamp, TIMESTAMP_RULE } from '../contract/timestamp.js'
import { versionBit } from '../contract/version-set.js'
import { copyChunks } from '../database/copy-text.js'
import { IngestError } from '../errors.js'
import type { DeliveryOrder, RowDelivery, KindReceipt } from '../source/delivery.js'
import { BUSY, type Answer } from './answer.js'
import { Budget } from './budget.js'
import { checkBodyHeaders, receiveBody, type Body, type BodyBudgets, type Received } from './receive-body.js'
import { recordBatches } from './envelope/batches.js'
import { checkBody, type CheckedBody, type Refusal } from './envelope/check-body.js'
import type { Store } from './store/store.js'

export type IngestOptions = {
  readonly store: Store
  readonly hash: Hash64
  /** Contract version of the envelopes that are accepted. */
  readonly version: number
  readonly maxBodyBytes: number
  readonly stallMs: number
  readonly budgets: BodyBudgets
}

/** Bytes per COPY chunk. Smaller than in a push, because the embedded database shares the memory of this process. */
const CHUNK_BYTES = 1024 * 1024

/** Handles envelopes after the token was checked. @see contract section 3 */
export class Ingest {
  /** Bytes of the bodies that are being checked and applied: one of the largest size, or several smaller ones. */
  readonly #processing: Budget

  constructor(private readonly options: IngestOptions) {
    this.#processing = new Budget(options.maxBodyBytes)
  }

  async answer(request: IncomingMessage, onBodyWanted: () => void): Promise<Answer> {
    const { maxBodyBytes, stallMs, budgets } = this.options
    const head = checkBodyHeaders(request.headers, maxBodyBytes)
    if (!head.ok) return HEADER_ANSWERS[head.reason]
    const order = readOrder(request)
    if (typeof order === 'string') return refusalAnswer({ ok: false, error: 'malformed', message: order })
    const ancestry = readAncestryHeader(request)
    if (ancestry === 'malformed') return refusalAnswer({ ok: false, error: 'malformed', message: BAD_ANCESTRY })
    const origin = readOriginHeader(request)
    if (origin === 'malformed') return refusalAnswer({ ok: false, error: 'malformed', message: BAD_ORIGIN })
    onBodyWanted()
    const received = await receiveBody(request, { gzip: head.gzip, maxBytes: maxBodyBytes, stallMs, budgets })
    if (!received.ok) return BODY_ANSWERS[received.reason]
    const { body } = received
    const { length } = body
    const share = await this.#processing.take(length)
    try {
      const answer = await this.#process(body, {
        order,
        ancestry,
        origin,
        assertWanted: () => assertClientWaits(request),
      })
      return { ...answer, facts: { ...answer.facts, bytes: length } }
    } catch (error) {
      if (error instanceof ClientGoneError) return { ...BODY_ANSWERS.gone, facts: { bytes: length }, cause: error }
      throw error
    } finally {
      share.release()
      await body.release()
    }
  }

  async #process(body: Body, wanted: Wanted): Promise<Answer> {
    await wanted.assertWanted()
    const bytes = await body.bytes()
    const check = await checkBody(bytes, this.options.version)
    return check.ok ? this.#apply(bytes, check, wanted) : refusalAnswer(check)
  }

  async #apply(
    bytes: Buffer,
    { runMeta, commit, from, total, counts }: CheckedBody,
    { order, ancestry, origin, assertWanted }: Wanted,
  ): Promise<Answer> {
    if (!isTimestamp(commit.timestamp)) return badTimestampAnswer(commit.timestamp)
    const { hash, version } = this.options
    const delivery: RowDelivery = {
      commit: { ...commit, ancestry },
      fits: versionBit(version),
      counts,
      // Checked again here, because the request may have waited for a session while its client disconnected.
      rows: async function* () {
        await assertWanted()
        yield* copyChunks(recordBatches(bytes, { from, version, hash }), CHUNK_BYTES)
      },
      assertMayCommit: assertWanted,
      // A key that another commit has used is another delivery's.
      order: { ...order, deliveryId: `${order.deliveryId} ${commit.sha}` },
      origin: { ...origin, benchmarkId: runMeta.benchmark_id },
    }
    const { kinds, isOrdered } = await this.options.store.write(delivery)
    const done = { inserted: sum(kinds, 'inserted'), updated: sum(kinds, 'updated') }
    const superseded = sum(kinds, 'superseded')
    const headers = isOrdered ? { [ORDERED_HEADER]: 'true', [SUPERSEDED_HEADER]: String(superseded) } : {}
    return { status: 200, body: done, headers, facts: { commit: commit.sha, records: total, ...done } }
  }
}

type Wanted = {
  readonly order: DeliveryOrder
  readonly ancestry: Ancestry | undefined
  readonly origin: DeliveryOrigin
  /** Throws when the client no longer waits for the answer. */
  readonly assertWanted: () => Promise<void>
}

/** The most characters of an idempotency key. */
const MAX_KEY = 200

const BAD_GENERATION = `${GENERATION_HEADER} must be JSON like {"producedAt":"2026-01-31T12:00:00Z"} (docs/path-a.md)`
const BAD_KEY = `idempotency-key must have 1 to ${MAX_KEY} characters`

/**
 * The order that the headers of a request give to its records. Without a generation the envelope counts as the newest, and
 * without an idempotency key as a delivery of its own.
 * @returns a message when a header is malformed
 */
function readOrder({ headers }: IncomingMessage): DeliveryOrder | string {
  const text = headers[GENERATION_HEADER]
  const generation = typeof text === 'string' ? parseGeneration(text) : undefined
  if (text !== undefined && generation === undefined) return BAD_GENERATION
  const key = headers['idempotency-key'] ?? randomUUID()
  if (typeof key !== 'string' || key === '' || key.length > MAX_KEY) return BAD_KEY
  return { deliveryId: key, generation }
}

const BAD_ANCESTRY = `${ANCESTRY_HEADER} must be like "PARENT PARENT; GRANDPARENT; partial" (docs/path-a.md)`

/** The ancestors of the commit, if the request has them. */
function readAncestryHeader({ headers }: IncomingMessage): Ancestry | undefined | 'malformed' {
  const text = headers[ANCESTRY_HEADER]
  if (text === undefined) return undefined
  return (typeof text === 'string' ? parseAncestry(text) : undefined) ?? 'malformed'
}

const BAD_ORIGIN = `${ORIGIN_HEADER} must be JSON like {"sources":[],"sourceCount":0} (docs/path-a.md)`

/** Where the records come from, as far as the request says. */
function readOriginHeader({ headers }: IncomingMessage): DeliveryOrigin | 'malformed' {
  const text = headers[ORIGIN_HEADER]
  if (text === undefined) return { sources: [], sourceCount: 0 }
  return (typeof text === 'string' ? parseOrigin(text) : undefined) ?? 'malformed'
}

class ClientGoneError extends IngestError {
  constructor() {
    super('interrupted', 'the client disconnected before the transaction was committed, so nothing was stored')
  }
}

/**
 * An envelope whose client no longer waits must not be applied, because the client may have sent newer values in the meantime.
 * @throws {ClientGoneError}
 */
async function assertClientWaits({ socket }: IncomingMessage): Promise<void> {
  // The embedded database blocks the process, so a disconnection is only noticed in the next turn of the event loop.
  await setImmediate()
  if (socket.destroyed || !socket.writable) throw new ClientGoneError()
}

const HEADER_ANSWERS = {
  media_type: { status: 415, body: { error: 'unsupported_media_type' } },
  encoding: { status: 415, body: { error: 'unsupported_media_type' } },
  too_large: { status: 413, body: { error: 'body_too_large' } },
} as const satisfies Readonly<Record<string, Answer>>

const BODY_ANSWERS: Readonly<Record<Exclude<Received, { ok: true }>['reason'], Answer>> = {
  too_large: HEADER_ANSWERS.too_large,
  broken_gzip: { status: 400, body: { error: 'malformed', message: 'the body is not valid gzip' } },
  // The next two answers appear only in the log, because the connection is gone.
  gone: { status: 400, body: { error: 'client_gone' } },
  stalled: { status: 408, body: { error: 'timeout' } },
  busy: BUSY,
}

function refusalAnswer(refusal: Refusal): Answer {
  const { error } = refusal
  switch (error) {
    case 'malformed':
      return { status: 400, body: { error, message: refusal.message } }
    case 'schema_version_too_new':
      return { status: 409, body: { error, expected: refusal.expected, got: refusal.got } }
    case 'record':
      return { status: 400, body: { error, record_index: refusal.recordIndex, message: refusal.message } }
  }
}

/** Checked after the rest of the envelope, because other servers notice a bad time only when they write the commit. */
function badTimestampAnswer(timestamp: string): Answer {
  const message = `/commit/timestamp ${TIMESTAMP_RULE}, got ${quote(timestamp)}`
  return refusalAnswer({ ok: false, error: 'malformed', message })
}

function sum(receipts: readonly KindReceipt[], count: 'inserted' | 'updated' | 'superseded'): number {
  return receipts.reduce((all, receipt) => all + (receipt[count] ?? 0), 0)
}
