/** Posts a JSON document to a webhook, whose URL is a secret. */

import { setTimeout } from 'node:timers/promises'
import type { Environment } from '../commit/ci.js'
import { IngestError, type ErrorCode } from '../errors.js'
import { agentFor } from './agent.js'
import { hideSecret } from '../redact.js'
import { answerText } from './answer-text.js'
import { AnswerLost } from './connection-error.js'
import { exchange, type HttpAnswer } from './exchange.js'
import { withRetry } from './retry.js'
import { siteAddress } from './site-address.js'
import { monotonicMs } from '../monotonic-time.js'

export type WebhookOptions = {
  readonly env: Environment
  readonly signal: AbortSignal
  readonly random: () => number
}

const IDLE_TIMEOUT_MS = 15_000
const RETRIES = { attempts: 4, baseDelayMs: 500, maxDelayMs: 5_000, deadlineMs: 30_000 }

/**
 * Parses the URL of a webhook.
 * @throws {IngestError} `usage`. No message repeats the URL
 */
export function parseWebhook(text: string): URL {
  const hint = 'the form is https://hooks.example.com/services/T0/B0/XXXX, best given in VORTEX_INGEST_WEBHOOK'
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && ['https:', 'http:'].includes(url.protocol)) return url
  throw new IngestError('usage', '--webhook is not a URL of http or https', { hint })
}

/**
 * Posts the document once: it is sent again only where the webhook cannot have received it, or said that it failed.
 * @throws {IngestError} `target_unreachable`, `target_failed`, or `auth_failed` when the webhook does not accept the document
 */
export async function postWebhook(url: URL, document: object, { env, signal, random }: WebhookOptions): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(document))
  const headers = { 'content-type': 'application/json', 'content-length': bytes.length }
  const agent = await agentFor(await siteAddress(url, undefined, env))
  const post = async (): Promise<void> => {
    const body = (async function* () {
      yield bytes
    })()
    const request = {
      method: 'POST',
      url,
      hasSecretPath: true,
      headers,
      body,
      agent,
      idleTimeoutMs: IDLE_TIMEOUT_MS,
      signal,
    } as const
    assertAccepted(url, await exchange(request))
  }
  const tools = { random, sleep: (ms: number) => setTimeout(ms, undefined, { signal }), now: monotonicMs }
  try {
    await withRetry(post, { policy: RETRIES, tools, mayRetry, onRetry: () => undefined })
  } catch (cause) {
    signal.throwIfAborted()
    if (!(cause instanceof IngestError) || cause.code === 'target_failed' || cause.code === 'auth_failed') throw cause
    // The hints of the client are about --server.
    const hint = `check the network, HTTPS_PROXY and SSL_CERT_FILE for ${url.host}`
    throw new IngestError(cause.code, `the webhook could not be reached: ${cause.message}`, { cause, hint })
  } finally {
    agent.destroy()
  }
}

function assertAccepted(url: URL, answer: HttpAnswer): void {
  const { status } = answer
  if (status >= 200 && status < 300) return
  const said = secretsOf(url).reduce((text, secret) => hideSecret(text, secret), answerText(answer))
  const code: ErrorCode = status >= 500 || status === 429 ? 'target_failed' : 'auth_failed'
  const message = `the webhook at ${url.origin} answered ${status}${said === '' ? '' : ` (${said})`}`
  throw new IngestError(code, message, { hint: code === 'auth_failed' ? 'check the URL of the webhook' : undefined })
}

/** Shorter parts of a URL are no secrets. */
const SHORTEST_SECRET = 8

/** The parts of the URL that may be secret, the longest first, because an answer may repeat all of them or one. */
function secretsOf({ pathname, search, searchParams, username, password }: URL): readonly string[] {
  const parts = [pathname + search, username, password, ...pathname.split('/'), ...searchParams.values()]
  return parts.filter(part => part.length >= SHORTEST_SECRET).sort((one, other) => other.length - one.length)
}

function mayRetry(error: unknown): boolean {
  if (!(error instanceof IngestError) || error instanceof AnswerLost) return false
  return error.code === 'target_failed' || error.code === 'target_unreachable'
}
