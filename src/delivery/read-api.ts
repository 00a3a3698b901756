/** Requests to a server (docs/server.md), and the answers of its read routes as exact values. */

import type { Agent, OutgoingHttpHeaders } from 'node:http'
import { isExactObject, textOf, type ExactObject } from '../contract/exact-value.js'
import type { Kind } from '../contract/kinds.js'
import { IngestError } from '../errors.js'
import { describeServer, routeUrl, type HttpAddress } from '../http/address.js'
import { agentFor } from '../http/agent.js'
import { exchange, type HttpAnswer } from '../http/exchange.js'
import { statusWithText } from '../http/answer-text.js'
import { MAX_BODY_DEPTH, parseExact } from '../source/exact-json.js'
import type { StoredRow } from '../database/queries/rows.js'

const MAX_ANSWER_BYTES = 256 * 1024 * 1024

export type ReadApiOptions = {
  readonly address: HttpAddress
  readonly idleTimeoutMs: number
  readonly signal: AbortSignal
}

export async function openReadApi(options: ReadApiOptions): Promise<ReadApi> {
  return new ReadApi(options, await agentFor(options.address))
}

type Measurements = {
  readonly rows: readonly ExactObject[]
  /** The id after which the next page starts. */
  readonly next: string | undefined
}

export class ReadApi {
  constructor(
    private readonly options: ReadApiOptions,
    private readonly agent: Agent,
  ) {}

  /** The server in words, without secrets. */
  get description(): string {
    return describeServer(this.options.address.base)
  }

  /** One page of measurements. @param query the parameters of the request */
  async measurements(query: string): Promise<Measurements> {
    const path = `/api/measurements?${query}`
    const answer = await this.get(path)
    const next = answer?.['next']
    return { rows: this.objects(path, answer, 'measurements'), next: typeof next === 'string' ? next : undefined }
  }

  /** All measurements of a kind. The server answers in pages, and ends a page early when its rows are large. */
  async allMeasurements(kind: Kind, query: string): Promise<readonly StoredRow[]> {
    const rows: StoredRow[] = []
    let after: string | undefined = ''
    while (after !== undefined) {
      const page: Measurements = await this.measurements(`kind=${kind.kind}&${query}${after}`)
      rows.push(...page.rows.map(row => textRow(kind, row)))
      after = page.next === undefined ? undefined : `&after=${page.next}`
    }
    return rows
  }

  /** A member of an answer that is a list of objects. @throws {IngestError} when the answer has another shape */
  objects(path: string, answer: ExactObject | undefined, member: string): readonly ExactObject[] {
    const list = answer?.[member]
    if (!Array.isArray(list)) throw this.#notReadable(path)
    return list.filter(isExactObject)
  }

  /**
   * @returns undefined for a commit that is not stored
   * @throws {IngestError} when the server cannot be reached or answers anything else
   */
  async get(path: string): Promise<ExactObject | undefined> {
    const answer = await this.ask(path)
    if (answer.status === 404 && bodyOf(answer)?.['error'] === 'not_found' && path.startsWith('/api/commits/')) return
    const body = answer.status === 200 ? bodyOf(answer) : undefined
    if (body === undefined) throw this.#notReadable(path, answer)
    return body
  }

  ask(path: string): Promise<HttpAnswer> {
    return this.#send('GET', path, {})
  }

  /** Sends a JSON document to a route that writes. */
  post(path: string, document: object, token: string | undefined): Promise<HttpAnswer> {
    const bytes = Buffer.from(JSON.stringify(document))
    const headers = {
      ...{ 'content-type': 'application/json', 'content-length': bytes.length },
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    }
    const body = (async function* () {
      yield bytes
    })()
    return this.#send('POST', path, headers, body)
  }

  #send(
    method: 'GET' | 'POST',
    path: string,
    headers: OutgoingHttpHeaders,
    body?: AsyncIterable<Uint8Array>,
  ): Promise<HttpAnswer> {
    const { address, idleTimeoutMs, signal } = this.options
    const limits = { agent: this.agent, idleTimeoutMs, maxAnswerBytes: MAX_ANSWER_BYTES, signal }
    const url = routeUrl(address.base, path)
    return exchange({
      method,
      url,
      headers: { accept: 'application/json', ...headers },
      ...(body && { body }),
      ...limits,
    })
  }

  close(): void {
    this.agent.destroy()
  }

  /** @param answer undefined when the answer was JSON of another shape than stored rows */
  #notReadable(path: string, answer?: HttpAnswer): IngestError {
    const answered = answer === undefined ? 'JSON of another shape' : statusWithText(answer)
    const message = `${this.description}${path.replace(/\?.*/, '')} answered ${answered}, not with stored rows`
    const hint = 'update vortex-ingest on the server, or read the database with --postgres'
    return new IngestError('target_misconfigured', message, { hint })
  }
}

function bodyOf({ text }: HttpAnswer): ExactObject | undefined {
  const parsed = parseExact(text, { maxDepth: MAX_BODY_DEPTH })
  return parsed.ok && isExactObject(parsed.value) ? parsed.value : undefined
}

/** Every column as the text that Postgres would return. Columns that a later contract version added may be missing. */
function textRow({ fields }: Kind, row: ExactObject): StoredRow {
  if ('too_large' in row) throw tooLargeError(row)
  const known = fields.filter(({ name, since }) => since === 1 || name in row)
  const columns = known.map(({ name }) => [name, textOf(row[name])] as const)
  return { ...Object.fromEntries(columns), measurement_id: idOf(row) }
}

function tooLargeError(row: ExactObject): IngestError {
  const message = `the server does not show the measurement ${idOf(row)}, because it has ${textOf(row['too_large'])} bytes`
  return new IngestError('target_misconfigured', message, { hint: 'compare with the database itself: --postgres' })
}

/** Ids are strings in JSON, because a double cannot hold 64 bits. */
export function idOf({ measurement_id: id }: ExactObject): string {
  return typeof id === 'string' ? id : ''
}
