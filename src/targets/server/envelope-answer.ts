/** Interprets a server's answer to an envelope. @see contract section 3 */

import { ORDERED_HEADER, SUPERSEDED_HEADER } from '../../contract/generation.js'
import { quote } from '../../contract/problem.js'
import { IngestError } from '../../errors.js'
import { hideSecret } from '../../redact.js'
import { describeServer } from '../../http/address.js'
import type { HttpAnswer } from '../../http/exchange.js'
import { jsonObject, answerText } from '../../http/answer-text.js'

export type AppliedCounts = {
  readonly inserted: number
  readonly updated: number
  /** Number of records that were left out because a newer delivery wrote other values. */
  readonly superseded: number
  /** Whether the server orders deliveries. */
  readonly isOrdered: boolean
}

/** An answer that does not acknowledge the envelope. It becomes the cause of the reported error. */
export class RefusedAnswer extends Error {
  /** @param text the text of the answer, made safe for messages */
  constructor(
    readonly answer: HttpAnswer,
    readonly text: string,
  ) {
    super(`the server answered ${answer.status}`)
  }

  /** The index in the envelope, from 0, of the record that the server rejected. Undefined if the answer names none. */
  get recordIndex(): number | undefined {
    const index = jsonMembers(this.answer)['record_index']
    return this.answer.status === 400 && Number.isSafeInteger(index) ? (index as number) : undefined
  }
}

const RETRIED = [408, 429]

/**
 * Whether a failed request may succeed when it is retried. A number means yes, but not before that many milliseconds.
 * @param now current time in milliseconds since 1970
 */
export function mayRetryRequest(error: unknown, now: number): boolean | number {
  if (!(error instanceof IngestError)) return false
  if (!(error.cause instanceof RefusedAnswer)) return error.code === 'target_unreachable'
  if (error.code !== 'target_failed') return false
  return retryAfterMs(error.cause.answer.headers['retry-after'], now) ?? true
}

/**
 * How likely it is that a server rejected a gzip body because it does not support gzip. Such a server finds no JSON in the
 * body. Some answer 400 in plain text, others with a JSON message, which might be about the records instead.
 */
export function gzipSuspicion({ status, text }: Pick<HttpAnswer, 'status' | 'text'>): 'likely' | 'possible' | 'none' {
  // 411 demands a Content-Length, which a gzip body lacks because its length is not known in advance.
  if (status === 411 || status === 415) return 'likely'
  const body = jsonObject(text)
  if (status !== 400 || body?.['record_index'] !== undefined) return 'none'
  return typeof body?.['message'] === 'string' ? 'possible' : 'likely'
}

/** The address that answered. The token is hidden in messages. */
type Answering = { readonly base: URL; readonly token?: string | undefined }

export type SentEnvelope = Answering & {
  /** Number of records in the envelope. A server that acknowledges a different number has lost some. */
  readonly records: number
  readonly encoding?: 'gzip' | undefined
}

/** Reads the counts of an acknowledged envelope. @throws {IngestError} for every other answer */
export function parseApplied(answer: HttpAnswer, sent: SentEnvelope): AppliedCounts {
  const { base, token, records, encoding } = sent
  if (answer.status !== 200) throw encoding === 'gzip' ? gzipRejectionError(answer, sent) : rejectionError(answer, sent)
  const { inserted, updated } = jsonMembers(answer)
  const answerError = errorMaker(answer, answerText(answer, token))
  if (!isCount(inserted) || !isCount(updated)) {
    const hint = 'this server is not an ingest service: check --server'
    throw answerError(
      'target_misconfigured',
      `${describeServer(base)} answered 200, but not with inserted and updated`,
      hint,
    )
  }
  if (inserted + updated !== records) {
    const got = `${inserted} inserted and ${updated} updated`
    // Not `target_failed`, because --allow-failure must not forgive a server that loses records.
    const hint = 'it is unknown which records it stored: ask its operator, then run the same push again'
    throw answerError('target_misconfigured', `${describeServer(base)} acknowledged ${got} of ${records} records`, hint)
  }
  const isOrdered = answer.headers[ORDERED_HEADER] !== undefined
  const superseded = Number(answer.headers[SUPERSEDED_HEADER] ?? 0)
  return { inserted, updated, superseded: isCount(superseded) ? superseded : 0, isOrdered }
}

function gzipRejectionError(answer: HttpAnswer, address: Answering): IngestError {
  const refusal = rejectionError(answer, address)
  const hint = GZIP_HINTS[gzipSuspicion(answer)]
  return hint === undefined ? refusal : new IngestError(refusal.code, refusal.message, { cause: refusal.cause, hint })
}

const WITHOUT_GZIP = 'leave out --compress, or use --compress auto'

const GZIP_HINTS = {
  likely: `compression is the likely reason, because not every server takes gzip: ${WITHOUT_GZIP}`,
  possible: `if that is not about the records, the server may not take gzip: ${WITHOUT_GZIP}`,
  none: undefined,
}

function rejectionError(answer: HttpAnswer, { base, token }: Answering): IngestError {
  const { status, headers } = answer
  const text = answerText(answer, token)
  const answerError = errorMaker(answer, text)
  const message = `${describeServer(base)} answered ${status}${text === '' ? '' : `: ${text}`}`
  if (status >= 300 && status < 400) {
    const to = headers.location === undefined ? '' : ` to ${quote(hideSecret(headers.location, token), 200)}`
    const hint = 'redirects are not followed with the token: give the final address in --server'
    return answerError('target_misconfigured', `${describeServer(base)} redirects${to}`, hint)
  }
  if (status === 409)
    return answerError(
      'schema_version',
      versionMessage(answer, base),
      'upgrade the server, or leave out the fields that it lacks with --downgrade',
    )
  const hint = HINTS[status]
  if (status === 400) return answerError('bad_data', message, hint)
  if (status === 401 || status === 403) return answerError('auth_failed', message, HINTS[401])
  const lasting = status === 500 ? LASTING[String(jsonMembers(answer)['reason'])] : undefined
  if (lasting !== undefined) return answerError(lasting.code, message, lasting.hint)
  if (status >= 500 || RETRIED.includes(status)) return answerError('target_failed', message)
  return answerError('target_misconfigured', message, hint)
}

/** Errors of a server that states in `reason` that repeating the request does not help (docs/server.md). */
const LASTING: Readonly<Record<string, { readonly code: IngestError['code']; readonly hint: string }>> = {
  refused: {
    code: 'target_refused',
    hint: "the server's database refuses the records: the log of the server has the reason",
  },
  data: { code: 'bad_data', hint: "the server's database cannot hold a value: the log of the server names it" },
}

const HINTS: Readonly<Record<number, string>> = {
  400: 'if a record is wrong, vortex-ingest validate says why',
  401: 'check the token in INGEST_BEARER_TOKEN, or in the variable or file named by --token-env or --token-file',
  404: 'give the address without /api/ingest in --server',
  407: 'the proxy requires a login: give its user and password in HTTPS_PROXY or HTTP_PROXY',
  413: 'give a smaller --max-envelope-bytes',
}

function versionMessage(answer: HttpAnswer, base: URL): string {
  const { expected, got } = jsonMembers(answer)
  if (!isCount(expected) || !isCount(got))
    return `${describeServer(base)} is at an older contract version than the records`
  return `${describeServer(base)} is at contract version ${expected} but the records are of version ${got}`
}

type ErrorMaker = (code: IngestError['code'], message: string, hint?: string) => IngestError

/** @param text the text of the answer, made safe for messages */
function errorMaker(answer: HttpAnswer, text: string): ErrorMaker {
  return (code, message, hint) =>
    new IngestError(code, message, { cause: new RefusedAnswer(answer, text), ...(hint !== undefined && { hint }) })
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** The members of a JSON body. Empty for every other body, such as a proxy's HTML page. */
function jsonMembers({ text }: HttpAnswer): Readonly<Record<string, unknown>> {
  return jsonObject(text) ?? {}
}

const WITH_ZONE = /^[A-Z][a-z]{2,8}, .* \d{2}:\d{2}:\d{2} GMT$/
const ASCTIME = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/

/**
 * Converts a `Retry-After` header into a wait.
 * @param value value of the header: seconds or an HTTP date (RFC 9110, section 10.2.3)
 * @param now current time in milliseconds since 1970
 * @returns milliseconds to wait; undefined when the header is missing or malformed
 */
export function retryAfterMs(value: string | undefined, now: number): number | undefined {
  const text = value?.trim() ?? ''
  if (/^\d+$/.test(text)) return Number(text) * 1000
  // Only HTTP's date formats are accepted, because Date.parse takes many more and assumes the local time zone.
  const date = WITH_ZONE.test(text) ? Date.parse(text) : ASCTIME.test(text) ? Date.parse(`${text} GMT`) : NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
