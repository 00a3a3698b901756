/** Interprets a server's answer to an envelope. @see contract section 3 */

import { quote } from '../../contract/problem.js'
import { IngestError } from '../../errors.js'
import { describeServer } from './address.js'
import type { HttpAnswer } from './exchange.js'
import { retryAfterMs } from './retry-after.js'
import { jsonObject, answerText } from './answer-text.js'

export type AppliedCounts = { readonly inserted: number; readonly updated: number }

/** An answer that does not acknowledge the envelope. It becomes the cause of the reported error. */
export class RefusedAnswer extends Error {
  constructor(readonly answer: HttpAnswer) {
    super(`the server answered ${answer.status}`)
  }

  /** The index in the envelope, from 0, of the record that the server rejected. Undefined if the answer names none. */
  get recordIndex(): number | undefined {
    const index = bodyOf(this.answer)['record_index']
    return this.answer.status === 400 && Number.isSafeInteger(index) ? (index as number) : undefined
  }

  /** The text of the answer, made safe for messages. */
  get text(): string {
    return answerText(this.answer)
  }
}

const RETRIED = [408, 429]

/** Removes the token from an answer, because some servers and proxies echo the request. */
export function withoutToken(answer: HttpAnswer, token: string | undefined): HttpAnswer {
  if (token === undefined) return answer
  const { location } = answer.headers
  const headers = { ...answer.headers, ...(location !== undefined && { location: location.replaceAll(token, '***') }) }
  return { ...answer, headers, text: answer.text.replaceAll(token, '***') }
}

/**
 * Whether a failed request may succeed when it is retried. A number means yes, but not before that many milliseconds.
 * @param now current time in milliseconds since 1970
 */
export function mayRetryRequest(error: unknown, now: number): boolean | number {
  if (!(error instanceof IngestError)) return false
  if (!(error.cause instanceof RefusedAnswer)) return error.code === 'target_unreachable'
  const { status, headers } = error.cause.answer
  if (status < 500 && !RETRIED.includes(status)) return false
  return retryAfterMs(headers['retry-after'], now) ?? true
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

export type SentEnvelope = {
  readonly base: URL
  /** Number of records in the envelope. A server that acknowledges a different number has lost some. */
  readonly records: number
  readonly encoding?: 'gzip' | undefined
}

/** Reads the counts of an acknowledged envelope. @throws {IngestError} for every other answer */
export function parseApplied(answer: HttpAnswer, { base, records, encoding }: SentEnvelope): AppliedCounts {
  if (answer.status !== 200) throw encoding === 'gzip' ? gzipRefusalOf(answer, base) : refusalOf(answer, base)
  const { inserted, updated } = bodyOf(answer)
  if (!isCount(inserted) || !isCount(updated)) {
    const hint = 'something else than an ingest service answers there: check --server'
    throw failed('target_misconfigured', answer, `${where(base)} answered 200, but not with inserted and updated`, hint)
  }
  if (inserted + updated !== records) {
    const got = `${inserted} inserted and ${updated} updated`
    // Not `target_failed`, because --allow-failure must not forgive a server that loses records.
    const hint = 'what it has stored is unknown: ask whoever runs it, then run the same push again'
    throw failed('target_misconfigured', answer, `${where(base)} acknowledged ${got} of ${records} records`, hint)
  }
  return { inserted, updated }
}

function gzipRefusalOf(answer: HttpAnswer, base: URL): IngestError {
  const refusal = refusalOf(answer, base)
  const hint = GZIP_HINTS[gzipSuspicion(answer)]
  return hint === undefined ? refusal : new IngestError(refusal.code, refusal.message, { cause: refusal.cause, hint })
}

const WITHOUT_GZIP = 'leave --compress out, or give --compress auto'

const GZIP_HINTS = {
  likely: `compression is the likely reason, because not every server takes gzip: ${WITHOUT_GZIP}`,
  possible: `if that is not about the records, the server may not take gzip: ${WITHOUT_GZIP}`,
  none: undefined,
}

function refusalOf(answer: HttpAnswer, base: URL): IngestError {
  const { status, headers } = answer
  const said = answerText(answer)
  const message = `${where(base)} answered ${status}${said === '' ? '' : `: ${said}`}`
  if (status >= 300 && status < 400) {
    const to = headers.location === undefined ? '' : ` to ${quote(headers.location, 200)}`
    const hint = 'redirects are not followed with the token: give the final address in --server'
    return failed('target_misconfigured', answer, `${where(base)} redirects${to}`, hint)
  }
  if (status === 409)
    return failed(
      'schema_version',
      answer,
      versions(answer, base),
      'upgrade the server, or leave out what it does not know with --downgrade',
    )
  const hint = HINTS[status]
  if (status === 400) return failed('bad_data', answer, message, hint)
  if (status === 401 || status === 403) return failed('auth_failed', answer, message, HINTS[401])
  if (status >= 500 || RETRIED.includes(status)) return failed('target_failed', answer, message)
  return failed('target_misconfigured', answer, message, hint)
}

const HINTS: Readonly<Record<number, string>> = {
  400: 'vortex-ingest validate shows what is wrong with the records, if it is the records',
  401: 'check the token: INGEST_BEARER_TOKEN, or what --token-env or --token-file names',
  404: 'give the address without /api/ingest in --server',
  407: 'that was the proxy: give its user and password in HTTPS_PROXY or HTTP_PROXY',
  413: 'give a smaller --max-envelope-bytes',
}

function versions(answer: HttpAnswer, base: URL): string {
  const { expected, got } = bodyOf(answer)
  if (!isCount(expected) || !isCount(got)) return `${where(base)} is at an older contract version than the records`
  return `${where(base)} is at contract version ${expected}, the records are of version ${got}`
}

function where(base: URL): string {
  return describeServer(base)
}

function failed(code: IngestError['code'], answer: HttpAnswer, message: string, hint?: string): IngestError {
  return new IngestError(code, message, { cause: new RefusedAnswer(answer), ...(hint !== undefined && { hint }) })
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** The members of a JSON body. Empty for every other body, such as a proxy's HTML page. */
function bodyOf({ text }: HttpAnswer): Readonly<Record<string, unknown>> {
  return jsonObject(text) ?? {}
}
