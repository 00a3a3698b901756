/** Accepted changes in the database of a server, through its routes (docs/server.md). */

import type { AcceptedChange, Act } from '../analysis/accepted-change.js'
import { IngestError, type ErrorCode } from '../errors.js'
import { jsonObject, statusWithText } from '../http/answer-text.js'
import type { HttpAnswer } from '../http/exchange.js'
import { OldServerError, type AcceptedChangeStore } from './accepted-changes.js'
import { openReadApi, type ReadApi, type ReadApiOptions } from './read-api.js'

const ROUTE = '/api/accepted-changes'

export type AcceptedAtServerOptions = ReadApiOptions & {
  /** Returns the token for writing; undefined where the server needs none. Reading needs no token. */
  readonly findToken: () => Promise<string | undefined>
}

export async function acceptedAtServer(
  options: AcceptedAtServerOptions,
): Promise<AcceptedChangeStore & { readonly close: () => void }> {
  const api = await openReadApi(options)
  const post = async (path: string, document: object): Promise<AcceptedChange> => {
    const token = await options.findToken()
    const { accepted } = readAnswer(api, await api.post(path, document, token), token)
    return parseAccepted(api, accepted)
  }
  return {
    description: api.description,
    list: () => listAll(api),
    // The server gives the change its own id and time.
    add: ({ commit, series, note, by }) => post(ROUTE, { commit, series, note, by }),
    async withdraw(ids, { by }) {
      for (const id of ids) await post(`${ROUTE}/${encodeURIComponent(id)}/withdraw`, { by })
    },
    close: () => api.close(),
  }
}

/** The server answers in pages. */
async function listAll(api: ReadApi): Promise<readonly AcceptedChange[]> {
  const found: AcceptedChange[] = []
  for (let after: string | undefined = ''; after !== undefined;) {
    const { accepted, next } = readAnswer(api, await api.ask(`${ROUTE}${after}`))
    if (!Array.isArray(accepted)) throw shapeError(api)
    found.push(...(accepted as unknown[]).map(one => parseAccepted(api, one)))
    after = typeof next === 'string' ? `?after=${encodeURIComponent(next)}` : undefined
  }
  return found
}

type Members = Readonly<Record<string, unknown>>

/** @throws {IngestError} for an answer that is not a success */
function readAnswer(api: ReadApi, answer: HttpAnswer, token?: string): Members {
  const members = jsonObject(answer.text) ?? {}
  if (answer.status === 200 || answer.status === 201) return members
  if (isUnknownRoute(answer.status, members)) throw new OldServerError(api.description)
  const [code, hint] = failureOf(answer.status)
  const message = `${api.description}${ROUTE} answered ${statusWithText(answer, token)}`
  throw new IngestError(code, message, { hint })
}

/** Answers of the routes themselves have a message when something is not found. */
function isUnknownRoute(status: number, { message }: Members): boolean {
  return status === 405 || (status === 404 && typeof message !== 'string')
}

function failureOf(status: number): readonly [code: ErrorCode, hint: string | undefined] {
  if (status === 401 || status === 403) return ['auth_failed', TOKEN_HINT]
  if (status === 409) return ['target_misconfigured', undefined]
  if (status === 404) return ['not_found', 'vortex-ingest changes accepted lists them']
  if (status >= 500 || status === 429) return ['target_failed', undefined]
  return status < 400 ? ['target_misconfigured', 'check --server'] : ['usage', undefined]
}

const TOKEN_HINT =
  'check the token in INGEST_BEARER_TOKEN, or in the variable or file named by --token-env or --token-file'

function parseAccepted(api: ReadApi, value: unknown): AcceptedChange {
  const { id, commit, series, note, withdrawn, ...act } = (value ?? {}) as Members
  const isRead = [id, commit, note].every(isText) && isAct(act) && Array.isArray(series) && series.every(isText)
  if (!isRead || (withdrawn !== null && !isAct(withdrawn))) throw shapeError(api)
  const { by, at } = act
  return { ...{ id, commit, series, note, by, at, withdrawn: withdrawn ?? undefined } } as AcceptedChange
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isAct(value: unknown): value is Act {
  const { by, at } = (value ?? {}) as Members
  return isText(by) && isText(at)
}

function shapeError({ description }: ReadApi): IngestError {
  return new IngestError('target_misconfigured', `${description}${ROUTE} did not answer with accepted changes`, {
    hint: 'check --server',
  })
}
