/** Reads the stored rows of a server through its read routes (docs/server.md). */

import type { Agent } from 'node:http'
import { isExactObject, realText, type ExactObject, type ExactValue } from '../contract/exact-value.js'
import { SCHEMA_VERSION, type Kind } from '../contract/kinds.js'
import { IngestError } from '../errors.js'
import { describeServer, routeUrl, type HttpAddress } from '../http/address.js'
import { agentFor } from '../http/agent.js'
import { exchange, type HttpAnswer } from '../http/exchange.js'
import { statusWithText } from '../http/answer-text.js'
import { statedVersion, statesOrdering, VERSION_ROUTE } from '../targets/server/server-version.js'
import { MAX_BODY_DEPTH, parseExact } from '../source/exact-json.js'
import type { StoredRow } from '../database/queries/rows.js'
import type { StoredRows } from './stored-rows.js'

/** Number of ids per request: a request line of this length is accepted by every server and proxy. */
const IDS_A_REQUEST = 200
const MAX_ANSWER_BYTES = 256 * 1024 * 1024

export type ServerRowsOptions = {
  readonly address: HttpAddress
  readonly idleTimeoutMs: number
  readonly signal: AbortSignal
}

export async function serverRows(options: ServerRowsOptions): Promise<StoredRows & { close(): void }> {
  const agent = await agentFor(options.address)
  const server = new Server(options, agent)
  return {
    // A server that does not state its version counts as the newest. Its rows show which fields it lacks.
    version: async () => statedVersion(await server.ask(VERSION_ROUTE)) ?? SCHEMA_VERSION,
    isOrdered: async () => statesOrdering(await server.ask(VERSION_ROUTE)),
    hasCommit: async sha => (await server.get(`/api/commits/${encodeURIComponent(sha)}`)) !== undefined,
    async byId(kind, ids) {
      const rows: StoredRow[] = []
      for (let from = 0; from < ids.length; from += IDS_A_REQUEST) {
        const some = ids.slice(from, from + IDS_A_REQUEST).join(',')
        let after: string | undefined = ''
        // The server ends an answer early when its rows are large.
        while (after !== undefined) {
          const page: Measurements = await server.measurements(`kind=${kind.kind}&ids=${some}${after}`)
          rows.push(...page.rows.map(row => textRow(kind, row)))
          after = page.next === undefined ? undefined : `&after=${page.next}`
        }
      }
      return rows
    },
    async idsOf(kind, sha, after) {
      const from = after === undefined ? '' : `&after=${after}`
      const { rows } = await server.measurements(`kind=${kind.kind}&commit=${encodeURIComponent(sha)}${from}`)
      return rows.map(idOf)
    },
    close: () => agent.destroy(),
  }
}

type Measurements = {
  readonly rows: readonly ExactObject[]
  /** The id after which the next page starts. */
  readonly next: string | undefined
}

class Server {
  constructor(
    private readonly options: ServerRowsOptions,
    private readonly agent: Agent,
  ) {}

  async measurements(query: string): Promise<Measurements> {
    const answer = await this.get(`/api/measurements?${query}`)
    const rows = answer?.['measurements']
    if (!Array.isArray(rows)) throw this.#notReadable('/api/measurements')
    const next = answer?.['next']
    return { rows: rows.filter(isExactObject), next: typeof next === 'string' ? next : undefined }
  }

  /**
   * @returns undefined for a commit that is not stored
   * @throws {IngestError} when the server cannot be reached or answers anything else
   */
  async get(path: string): Promise<ExactObject | undefined> {
    const answer = await this.ask(path)
    if (answer.status === 404 && bodyOf(answer)?.['error'] === 'not_found' && path.startsWith('/api/commits/')) return
    const body = answer.status === 200 ? bodyOf(answer) : undefined
    if (body === undefined) throw this.#notReadable(path.replace(/\?.*/, ''), answer)
    return body
  }

  ask(path: string): Promise<HttpAnswer> {
    const { address, idleTimeoutMs, signal } = this.options
    const headers = { accept: 'application/json' }
    const limits = { agent: this.agent, idleTimeoutMs, maxAnswerBytes: MAX_ANSWER_BYTES, signal }
    return exchange({ method: 'GET', url: routeUrl(address.base, path), headers, ...limits })
  }

  /** @param answer undefined when the answer was JSON of another shape than a list of rows */
  #notReadable(path: string, answer?: HttpAnswer): IngestError {
    const answered = answer === undefined ? 'JSON of another shape' : statusWithText(answer)
    const message = `${describeServer(this.options.address.base)}${path} answered ${answered}, not with stored rows`
    const hint = 'verify needs the read routes of vortex-ingest serve; a database is compared with --postgres'
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

function textOf(value: ExactValue | undefined): string | null {
  if (value === undefined || value === null) return null
  if (Array.isArray(value)) return `{${value.join(',')}}`
  return typeof value === 'number' ? realText(value) : (value as string | bigint).toString()
}

/** Ids are strings in JSON, because a double cannot hold 64 bits. */
function idOf({ measurement_id: id }: ExactObject): string {
  return typeof id === 'string' ? id : ''
}
