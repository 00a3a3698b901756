/** Sends requests to the API of GitHub or GitLab, and explains their failures. */

import type { Agent } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import type { Environment } from '../commit/ci.js'
import { IngestError, messageOf, type ErrorCode } from '../errors.js'
import { agentFor } from '../http/agent.js'
import { answerText, jsonObject } from '../http/answer-text.js'
import { exchange, type HttpAnswer, type HttpRequest } from '../http/exchange.js'
import { withRetry } from '../http/retry.js'
import { siteAddress } from '../http/site-address.js'
import { TOKEN_VARIABLES, type Hosting, type HostingToken } from './hosting.js'
import { monotonicMs } from '../monotonic-time.js'

const IDLE_TIMEOUT_MS = 10_000
const MAX_ANSWER_BYTES = 16 * 1024 * 1024
const RETRIES = { attempts: 4, baseDelayMs: 500, maxDelayMs: 5_000, deadlineMs: 30_000 }

/** Longest time that a service may ask a client to wait. A rate limit that lasts longer fails at once. */
const MAX_WAIT_MS = 10_000

/** Time for all requests of a client, so that a service which answers byte by byte does not hold up a job. */
const LIMIT_MS = 120_000

export type HostingWorld = {
  readonly env: Environment
  readonly signal: AbortSignal
  readonly random: () => number
  /** Time for all requests of a client, in milliseconds. Default: two minutes. */
  readonly limitMs?: number | undefined
}

type Method = HttpRequest['method']

/** An answer of the service that is not a success. */
export class HostingRefusal extends IngestError {
  readonly status: number
  /** Undefined when the same request would fail again. */
  readonly retryAfterMs: number | undefined

  constructor(code: ErrorCode, message: string, details: RefusalDetails) {
    super(code, message, { hint: details.hint })
    this.status = details.status
    this.retryAfterMs = details.retryAfterMs
  }
}

type RefusalDetails = {
  readonly status: number
  readonly hint: string | undefined
  readonly retryAfterMs: number | undefined
}

export class HostingClient {
  readonly hosting: Hosting
  readonly #agent: Agent
  readonly #random: () => number
  readonly #late = new AbortController()
  /** Aborts when the command is interrupted, and at the end of the time limit. */
  readonly #signal: AbortSignal
  readonly #limit: NodeJS.Timeout

  private constructor(hosting: Hosting, agent: Agent, { random, signal, limitMs = LIMIT_MS }: HostingWorld) {
    this.hosting = hosting
    this.#agent = agent
    this.#random = random
    this.#signal = AbortSignal.any([signal, this.#late.signal])
    const message = `${hosting.api} has not answered completely within ${limitMs / 1000} s`
    this.#limit = global.setTimeout(() => this.#late.abort(new IngestError('target_failed', message)), limitMs)
  }

  /** @throws {IngestError} `config_invalid` when the proxy or a file of certificate authorities is invalid */
  static async open(hosting: Hosting, world: HostingWorld): Promise<HostingClient> {
    const agent = await agentFor(await siteAddress(new URL(hosting.api), undefined, world.env))
    return new HostingClient(hosting, agent, world)
  }

  /** Repeats work that is safe to repeat, when the service cannot be reached, is overloaded or limits the rate. */
  retrying<T>(work: () => Promise<T>): Promise<T> {
    const sleep = async (ms: number): Promise<void> => {
      await setTimeout(ms, undefined, { signal: this.#signal }).catch(() => this.#signal.throwIfAborted())
    }
    const tools = { random: this.#random, sleep, now: monotonicMs }
    return withRetry(work, { policy: RETRIES, tools, mayRetry, onRetry: () => undefined })
  }

  /**
   * Sends one request to a route of the repository.
   * @param route begins with a slash, such as `/issues/1/comments`
   * @returns the parsed JSON; undefined when the answer has no body
   * @throws {HostingRefusal} when the service answers anything but a success
   * @throws {IngestError} `target_unreachable` or `target_misconfigured` when there is no answer, or none in JSON
   */
  async request(method: Method, route: string, body?: object): Promise<unknown> {
    const path = `${this.hosting.path}${route}`
    const answer = await this.#send(method, path, body)
    if (answer.status < 200 || answer.status > 299) throw this.#refusal(method, path, answer)
    if (answer.text === '') return undefined
    try {
      return JSON.parse(answer.text) as unknown
    } catch (cause) {
      throw new IngestError('target_misconfigured', `${this.#named(method, path)} did not answer with JSON`, { cause })
    }
  }

  /** Deletes what a route names. Something that another job deleted first counts as deleted. */
  async remove(route: string): Promise<void> {
    try {
      await this.request('DELETE', route)
    } catch (error) {
      if (!(error instanceof HostingRefusal) || error.status !== 404) throw error
    }
  }

  /** The id of the token's user; undefined for a token of a GitHub App, such as the token of a job, which has no user. */
  async userId(): Promise<number | undefined> {
    const answer = await this.#send('GET', '/user', undefined)
    if (answer.status === 429 || answer.status >= 500) throw this.#refusal('GET', '/user', answer)
    const id = answer.status === 200 ? jsonObject(answer.text)?.['id'] : undefined
    return typeof id === 'number' ? id : undefined
  }

  close(): void {
    clearTimeout(this.#limit)
    this.#agent.destroy()
  }

  async #send(method: Method, path: string, body: object | undefined): Promise<HttpAnswer> {
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
    const headers = {
      ...authorization(this.hosting),
      ...(bytes && { 'content-type': 'application/json', 'content-length': bytes.length }),
    }
    const limits = { idleTimeoutMs: IDLE_TIMEOUT_MS, maxAnswerBytes: MAX_ANSWER_BYTES, signal: this.#signal }
    const url = new URL(`${this.hosting.api}${path}`)
    try {
      return await exchange({
        method,
        url,
        headers,
        ...(bytes && { body: chunks(bytes) }),
        agent: this.#agent,
        ...limits,
      })
    } catch (cause) {
      this.#signal.throwIfAborted()
      if (!(cause instanceof IngestError)) throw cause
      // The hints of the client are about --server.
      const hint = `check the network, HTTPS_PROXY and SSL_CERT_FILE for ${url.host}`
      throw new IngestError(cause.code, `${method} ${messageOf(cause)}`, { cause, hint })
    }
  }

  #named(method: Method, path: string): string {
    return `${method} ${this.hosting.api}${path.replace(/\?.*/, '')}`
  }

  #refusal(method: Method, path: string, answer: HttpAnswer): HostingRefusal {
    const { status } = answer
    const said = answerText({ text: answer.text }, this.hosting.token?.value)
    const message = `${this.#named(method, path)} answered ${status}${said === '' ? '' : ` (${said})`}`
    const retryAfterMs = retryDelay(answer)
    return new HostingRefusal(codeOf(status, retryAfterMs), message, {
      status,
      retryAfterMs,
      hint: retryAfterMs === undefined ? hintFor(status, this.hosting) : undefined,
    })
  }
}

async function* chunks(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

function authorization({ service, token }: Hosting): Readonly<Record<string, string>> {
  const github = { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' }
  const common = service === 'github' ? github : { accept: 'application/json' }
  return token === undefined ? common : { ...common, ...tokenHeader(service, token) }
}

function tokenHeader(service: Hosting['service'], { variable, value }: HostingToken): Readonly<Record<string, string>> {
  if (service === 'github') return { authorization: `Bearer ${value}` }
  return variable === 'CI_JOB_TOKEN' ? { 'job-token': value } : { 'private-token': value }
}

function codeOf(status: number, retryAfterMs: number | undefined): ErrorCode {
  if (status >= 500) return 'target_failed'
  if (status === 429 || retryAfterMs !== undefined) return 'target_busy'
  return status === 401 || status === 403 ? 'auth_failed' : 'target_refused'
}

/** GitHub answers 404 in place of 403 for what a token may not see. */
function hintFor(status: number, { service, token }: Hosting): string | undefined {
  if (![401, 403, 404].includes(status)) return undefined
  if (token === undefined) return `set ${TOKEN_VARIABLES[service][0]}`
  return token.variable === 'CI_JOB_TOKEN'
    ? 'CI_JOB_TOKEN may not do this: give a project access token with the scope api in GITLAB_TOKEN'
    : `check that the token in ${token.variable} is valid and has the permissions that docs/ci-${service}.md names`
}

/** Time to wait before a retry. GitHub answers 403 or 429 when a limit is reached, with one of two headers. */
function retryDelay({ status, headers }: HttpAnswer): number | undefined {
  if (status >= 500) return 0
  if (status !== 403 && status !== 429) return undefined
  const after = Number(headers['retry-after'])
  if (headers['retry-after'] !== undefined && after >= 0) return after * 1000
  return headers['x-ratelimit-remaining'] === '0' ? Infinity : status === 429 ? 0 : undefined
}

function mayRetry(error: unknown): boolean | number {
  if (!(error instanceof HostingRefusal)) return error instanceof IngestError && error.code === 'target_unreachable'
  const { retryAfterMs } = error
  return retryAfterMs !== undefined && retryAfterMs <= MAX_WAIT_MS && retryAfterMs
}
