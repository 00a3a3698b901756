/** The server target (path A): sends envelopes over HTTP. */

import type { Agent } from 'node:http'
import { ANCESTRY_HEADER, formatAncestry } from '../../contract/ancestry.js'
import { formatOrigin, ORIGIN_HEADER } from '../../contract/delivery-origin.js'
import { formatGeneration, GENERATION_HEADER } from '../../contract/generation.js'
import { IngestError } from '../../errors.js'
import type { Rejection } from '../../source/rejection.js'
import { inputChangedError } from '../../source/source.js'
import { withRetry, type Retry, type RetryPolicy, type RetryTools } from '../../http/retry.js'
import {
  PartialDeliveryError,
  lineLocation,
  supersededCount,
  type Delivery,
  type Receipt,
} from '../../source/delivery.js'
import type { Sink, SinkOpener } from '../sink.js'
import { describeServer, routeUrl, type HttpAddress } from '../../http/address.js'
import { agentFor } from '../../http/agent.js'
import { parseApplied, gzipSuspicion, mayRetryRequest, RefusedAnswer, type AppliedCounts } from './envelope-answer.js'
import { CommaWriter, ENVELOPE_TAIL, envelopeHead } from './envelope-body.js'
import { exchange } from '../../http/exchange.js'
import { LineRanges } from './line-ranges.js'
import { locateRecord, planEnvelopes, type EnvelopePlan, type FilePlan } from './plan-envelopes.js'
import type { RequestLimits } from './options.js'
import { expectedVersion, fitToServer, statedVersion, VERSION_ROUTE } from './server-version.js'
import { createGzip } from 'node:zlib'
import { throughZlib } from '../../source/gunzip.js'

export type ServerSinkOptions = RequestLimits & {
  readonly address: HttpAddress
  readonly policy: RetryPolicy
  readonly tools: RetryTools
}

/** Creates the target. Each file is planned once, before anything is sent to any target. */
export function serverSink(options: ServerSinkOptions): SinkOpener {
  /** Plans by `Delivery.lines`, which stays the same object when the contract version is set afterwards. */
  const plans = new Map<Delivery['lines'], FilePlan>()
  const planOf = async (delivery: Delivery): Promise<FilePlan> => {
    const known = plans.get(delivery.lines)
    if (known !== undefined) return known
    const plan = await planFile(delivery, options.maxEnvelopeBytes)
    plans.set(delivery.lines, plan)
    return plan
  }
  const description = describeServer(options.address.base)
  return {
    id: description,
    description,
    opensEarly: false,
    refuses: delivery => oversizedRecords(delivery, planOf(delivery), options.maxEnvelopeBytes),
    async open(signal) {
      const agent = await agentFor(options.address)
      const sender = new Sender({ ...options, agent, signal })
      const send = async (
        original: Delivery,
        version: number | undefined,
        onRetry: (retry: Retry) => void,
      ): Promise<Receipt> => {
        const { delivery, downgrade } = await fitToServer(original, { target: description, version })
        const { envelopes: plans } = await planOf(delivery)
        return { ...(await sender.send(delivery, { plans, onRetry })), downgrade }
      }
      const write: Sink['write'] = async (delivery, onRetry) => {
        const version = await sender.version()
        try {
          return await send(delivery, version, onRetry)
        } catch (error) {
          // A server that does not report its version names it when it rejects a newer one.
          const expected = expectedVersion(error)
          // The server may be upgraded before the next delivery.
          sender.forgetVersion()
          if (expected === undefined || version !== undefined) throw error
          return send(delivery, expected, onRetry)
        }
      }
      return { write, close: async () => agent.destroy() }
    },
  }
}

function planFile(delivery: Delivery, maxEnvelopeBytes: number): Promise<FilePlan> {
  const maxLineBytes = maxEnvelopeBytes - envelopeHead(delivery).length - ENVELOPE_TAIL.length
  return planEnvelopes(delivery.lines(), { maxLineBytes })
}

async function* oversizedRecords(
  delivery: Delivery,
  plan: Promise<FilePlan>,
  maxEnvelopeBytes: number,
): AsyncGenerator<Rejection> {
  for (const { number, start, end } of (await plan).tooLong) {
    const message = `the record's ${end - start} bytes do not fit into an envelope of ${maxEnvelopeBytes} (--max-envelope-bytes)`
    const { byte = start, ...location } = await lineLocation(delivery, number, start)
    yield { ...location, byte, pointer: '', code: 'record_too_large', message }
  }
}

type SenderOptions = ServerSinkOptions & { readonly agent: Agent; readonly signal: AbortSignal }

type Sending = {
  readonly plans: readonly EnvelopePlan[]
  readonly onRetry: (retry: Retry) => void
}

/** One envelope of a delivery, to be sent. */
type Envelope = {
  readonly delivery: Delivery
  readonly plan: EnvelopePlan
  readonly ranges: LineRanges
  readonly gzipLevel: number
  /** Whether an attempt sent the whole envelope, so that the server may have stored it. */
  readonly progress: { isSent: boolean }
}

/** Idle timeout of the version query. When it expires, the envelope is sent anyway and retried as configured. */
const VERSION_TIMEOUT_MS = 10_000

class Sender {
  #reported: { readonly version: number | undefined } | undefined
  /** Whether the server rejected a gzip body, so that all further bodies are sent uncompressed. */
  #refusesGzip = false

  constructor(private readonly options: SenderOptions) {}

  /**
   * The contract version that the server reports. Undefined when the server reports none or the query fails; envelopes are
   * then sent without knowing it. An answer is kept until a delivery fails.
   */
  async version(): Promise<number | undefined> {
    if (this.#reported !== undefined) return this.#reported.version
    const { address, agent, idleTimeoutMs, signal } = this.options
    const headers = { accept: 'application/json' }
    const request = { method: 'GET' as const, url: routeUrl(address.base, VERSION_ROUTE), headers }
    const timeouts = { idleTimeoutMs: Math.min(idleTimeoutMs, VERSION_TIMEOUT_MS), signal }
    const answer = await exchange({ ...request, agent, ...timeouts }).catch(() => undefined)
    if (answer !== undefined && answer.status < 500) this.#reported = { version: statedVersion(answer) }
    return answer === undefined ? undefined : statedVersion(answer)
  }

  forgetVersion(): void {
    this.#reported = undefined
  }

  /** Sends the envelopes one after the other. The server commits each one separately. */
  async send(delivery: Delivery, { plans, onRetry }: Sending): Promise<Receipt> {
    const ranges = new LineRanges(delivery.lines)
    const applied: AppliedCounts[] = []
    try {
      for (const plan of plans)
        applied.push(
          await this.#deliver(
            { delivery, plan, ranges, gzipLevel: this.options.gzipLevel, progress: { isSent: false } },
            onRetry,
          ),
        )
    } catch (error) {
      throw applied.length === 0
        ? error
        : partialDelivery(error, { delivery, receipt: envelopesReceipt(plans, applied), envelopes: plans.length })
    } finally {
      await ranges.close()
    }
    return envelopesReceipt(plans, applied)
  }

  async #deliver(envelope: Envelope, onRetry: (retry: Retry) => void): Promise<AppliedCounts> {
    const { policy, tools, address, signal } = this.options
    try {
      return await withRetry(() => this.#postWithGzipFallback(envelope, onRetry), {
        policy,
        tools,
        mayRetry: error => mayRetryRequest(error, Date.now()),
        onRetry,
      })
    } catch (error) {
      if (signal.aborted && envelope.progress.isSent) throw unknownOutcomeError(address.base, signal.reason)
      throw await withLineLocation(error, envelope)
    }
  }

  /**
   * Sends an envelope. With `whenGzipRefused: 'resend'`, a rejected gzip envelope is sent again uncompressed, as are all later
   * ones.
   */
  async #postWithGzipFallback(envelope: Envelope, onRetry: (retry: Retry) => void): Promise<AppliedCounts> {
    const uncompressed = { ...envelope, gzipLevel: 0 }
    if (this.#refusesGzip || envelope.gzipLevel === 0) return this.#post(uncompressed)
    try {
      return await this.#post(envelope)
    } catch (error) {
      if (this.options.whenGzipRefused === 'fail' || !mayBeAboutGzip(error)) throw error
      onRetry({ error, waitMs: 0 })
      const applied = await this.#post(uncompressed)
      this.#refusesGzip = true
      return applied
    }
  }

  async #post(envelope: Envelope): Promise<AppliedCounts> {
    const { delivery, plan, gzipLevel } = envelope
    const { address, agent, idleTimeoutMs, signal } = this.options
    const compress = gzipLevel > 0
    const head = envelopeHead(delivery)
    const length = head.length + plan.end - plan.start + ENVELOPE_TAIL.length
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json',
      ...optionalHeaders(delivery, plan),
      ...(address.token !== undefined && { authorization: `Bearer ${address.token}` }),
      ...(compress ? { 'content-encoding': 'gzip' } : { 'content-length': length }),
    }
    const body = envelopeBody(envelope, head)
    const answer = await exchange({
      ...{ method: 'POST', url: routeUrl(address.base, '/api/ingest'), headers },
      ...{ body: compress ? gzipped(body, gzipLevel) : body, agent, idleTimeoutMs, signal },
    })
    const sent = { ...address, records: plan.records, encoding: compress ? ('gzip' as const) : undefined }
    return parseApplied(answer, sent)
  }
}

/** Headers with what an envelope cannot hold. Servers that do not know them ignore them. */
function optionalHeaders(delivery: Delivery, plan: EnvelopePlan): Readonly<Record<string, string>> {
  const { ancestry } = delivery.commit
  const parents = ancestry === undefined ? {} : { [ANCESTRY_HEADER]: formatAncestry(ancestry) }
  // The envelope itself has the benchmark id.
  const origin = delivery.origin && { [ORIGIN_HEADER]: formatOrigin({ ...delivery.origin, benchmarkId: undefined }) }
  return { ...orderHeaders(delivery, plan), ...parents, ...origin }
}

/** Headers that let a server recognise a repeated envelope, and one that a newer delivery has overtaken. */
function orderHeaders({ order }: Delivery, { start, end }: EnvelopePlan): Readonly<Record<string, string>> {
  if (order === undefined) return {}
  const key = { 'idempotency-key': `${order.deliveryId}-${start}-${end}` }
  const { generation } = order
  return generation === undefined ? key : { ...key, [GENERATION_HEADER]: formatGeneration(generation) }
}

function mayBeAboutGzip(error: unknown): boolean {
  const refused = error instanceof IngestError && error.cause instanceof RefusedAnswer ? error.cause : undefined
  return refused !== undefined && gzipSuspicion(refused.answer) !== 'none'
}

/** The error of a command that was interrupted after a whole envelope was sent. */
function unknownOutcomeError(base: URL, reason: unknown): unknown {
  if (!(reason instanceof IngestError)) return reason
  const message = `${reason.code}: whether ${describeServer(base)} stored the records is unknown`
  return new IngestError(reason.code, message, { cause: reason, hint: 'run the same push again, which is safe' })
}

async function* envelopeBody({ delivery, plan, ranges, progress }: Envelope, head: Buffer): AsyncGenerator<Buffer> {
  yield head
  const writer = new CommaWriter(plan.records)
  for await (const lines of ranges.read(plan)) yield writer.write(lines)
  // Checked before the end of the envelope is sent, because no server applies an incomplete envelope.
  await delivery.assertMayCommit()
  if (!writer.done) throw inputChangedError(delivery.source)
  progress.isSent = true
  yield ENVELOPE_TAIL
}

/** Adds the file and line of the record that the server rejected to an error. */
async function withLineLocation(error: unknown, { delivery, plan }: Envelope): Promise<unknown> {
  const refused = error instanceof IngestError && error.cause instanceof RefusedAnswer ? error.cause : undefined
  if (refused?.recordIndex === undefined) return error
  const found = await locateRecord(delivery.lines(), plan, refused.recordIndex)
  if (found === undefined) return error
  const { source, line, byte } = await lineLocation(delivery, found.number, found.start)
  const at = byte === undefined ? '' : ` (byte ${byte})`
  const message = `${source}:${line}${at}: the server refuses the record: ${refused.text}`
  return new IngestError('bad_data', message, { cause: refused })
}

/** @param applied the answers to the first envelopes of `plans` */
function envelopesReceipt(plans: readonly EnvelopePlan[], applied: readonly AppliedCounts[]): Receipt {
  const sum = (key: 'inserted' | 'updated' | 'superseded'): number =>
    applied.reduce((total, counts) => total + counts[key], 0)
  const records = plans.slice(0, applied.length).reduce((total, plan) => total + plan.records, 0)
  const counts = { records, inserted: sum('inserted'), updated: sum('updated'), ...supersededCount(sum('superseded')) }
  return { ...counts, kinds: [], chunks: applied.length, isOrdered: applied.every(({ isOrdered }) => isOrdered) }
}

type Progress = { readonly delivery: Delivery; readonly receipt: Receipt; readonly envelopes: number }

function partialDelivery(error: unknown, { delivery, receipt, envelopes }: Progress): unknown {
  if (!(error instanceof IngestError)) return error
  const done = `${receipt.chunks} of ${envelopes} envelopes of ${delivery.source}, with ${receipt.records} records, were delivered`
  return new PartialDeliveryError(error, `${error.message} (${done})`, receipt)
}

/** Compresses a body. @param level 1 (fastest) to 9 (smallest) */
function gzipped(body: AsyncIterable<Uint8Array>, level: number): AsyncIterable<Uint8Array> {
  return throughZlib(body, createGzip({ level }))
}
