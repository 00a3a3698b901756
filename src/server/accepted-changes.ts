/** Routes that list, record and withdraw accepted changes, in the schema `vortex_ingest` of the server's database. */

import type { FastifyInstance } from 'fastify'
import { MAX_NOTE, toAcceptedDocument, type AcceptedChange } from '../analysis/accepted-change.js'
import { isFullSha } from '../contract/commit.js'
import {
  acceptedChangesAccess,
  insertAcceptedChange,
  readAcceptedChange,
  readAcceptedChanges,
  withdrawAcceptedChanges,
} from '../database/queries/accepted-changes.js'
import { hasCommit } from '../database/queries/commits.js'
import { newAcceptedChange, READ_ONLY, type Acceptance } from '../delivery/accepted-changes.js'
import { requireToken } from './bearer-token.js'
import { pathParameterValue, type OperatorAnswer } from './operator/operator-route.js'
import { addOperatorRoute, type OperatorOptions } from './operator/routes.js'
import { BadParameter, countParameter, textParameter } from './read/parameters.js'
import type { ReadRouteOptions } from './read/routes.js'
import { withJson } from './request-body.js'
import type { Store } from './store/store.js'

const URL = '/api/accepted-changes'
const PAGE = { least: 1, most: 100, otherwise: 100 }
/** The most characters of a text, and the most patterns. */
const MAX = { note: MAX_NOTE, by: 200, pattern: 200, patterns: 50 }

export type AcceptedRouteOptions = Pick<ReadRouteOptions, 'store' | 'memory' | 'now'> &
  Pick<OperatorOptions, 'limits' | 'onFailure'> & {
    /** Token for writing. Without it, no token is required. */
    readonly token: string | undefined
    /** The operator's token, which may write too. */
    readonly operatorToken: string | undefined
    /** Called after each change. */
    readonly onChange: () => void
  }

export function addAcceptedChangeRoutes(app: FastifyInstance, options: AcceptedRouteOptions): void {
  const { store, memory, token, operatorToken, limits, onFailure } = options
  app.get(URL, async ({ query }, reply) => {
    const after = textParameter(query, 'after')
    if (after !== undefined && !isId(after)) throw new BadParameter('after must be the id of an accepted change')
    const limit = countParameter(query, 'limit', PAGE)
    return memory.send(reply, async () => {
      const accepted = await store.read(session => readAcceptedChanges(session, { after, limit }))
      const next = accepted.length < limit ? null : accepted.at(-1)?.id
      return JSON.stringify({ accepted: accepted.map(toAcceptedDocument), next })
    })
  })
  const onRequest = requireToken(token, ...(operatorToken === undefined ? [] : [operatorToken]))
  const adding = { onRequest, limits, onFailure }
  const post = (url: string, answer: Answering): void =>
    addOperatorRoute(
      app,
      {
        ...{ method: 'POST', url },
        answer: (request, onBodyWanted) =>
          withJson(request, { ...limits, onBodyWanted }, body => answer(body, pathParameterValue(request, 'id'))),
      },
      adding,
    )
  post(URL, body => accept(parseAcceptance(body), options))
  post(`${URL}/:id/withdraw`, (body, id) => withdraw(id, parseBy(body), options))
}

function isId(text: string): boolean {
  return /^[\w-]{1,100}$/.test(text)
}

type Body = Readonly<Record<string, unknown>>
type Answering = (body: Body, id: string) => Promise<OperatorAnswer>

async function accept(acceptance: Acceptance, options: AcceptedRouteOptions): Promise<OperatorAnswer> {
  const { store, now, onChange } = options
  const refusal = await findRefusal(store)
  if (refusal !== undefined) return refusal
  if (!(await store.read(session => hasCommit(session, acceptance.commit))))
    return notFound(`no commit ${acceptance.commit} is stored`)
  const accepted = newAcceptedChange(acceptance, now().getTime())
  const stored = await store.change(session => insertAcceptedChange(session, accepted))
  onChange()
  return acceptedAnswer(stored.id === accepted.id ? 201 : 200, stored)
}

async function withdraw(id: string, by: string, options: AcceptedRouteOptions): Promise<OperatorAnswer> {
  const { store, now, onChange } = options
  const refusal = await findRefusal(store)
  if (refusal !== undefined) return refusal
  if (!isId(id)) return notFound('no accepted change has such an id')
  const withdrawn = await store.change(async session => {
    await withdrawAcceptedChanges(session, [id], { by, at: now().toISOString() })
    return readAcceptedChange(session, id)
  })
  if (withdrawn === undefined) return notFound(`no accepted change has the id ${id}`)
  onChange()
  return acceptedAnswer(200, withdrawn)
}

function acceptedAnswer(status: number, accepted: AcceptedChange): OperatorAnswer {
  return { status, body: { accepted: toAcceptedDocument(accepted) } }
}

function notFound(message: string): OperatorAnswer {
  return { status: 404, body: { error: 'not_found', message } }
}

/** The answer of a server whose database cannot keep accepted changes. */
async function findRefusal(store: Store): Promise<OperatorAnswer | undefined> {
  const access = await store.read(acceptedChangesAccess)
  if (access === 'write') return undefined
  const { reason, hint } = READ_ONLY[access]
  const message = `the database of the server cannot keep accepted changes: ${reason}; ${hint}`
  return { status: 409, body: { error: 'not_supported', message } }
}

/** @throws {BadParameter} for a body of another shape */
function parseAcceptance(body: Body): Acceptance {
  const { commit, series = [], note } = body
  assertMembers(body, ['commit', 'series', 'note', 'by'])
  if (typeof commit !== 'string' || !isFullSha(commit)) throw new BadParameter('commit must be a full commit id')
  if (!Array.isArray(series) || series.length > MAX.patterns)
    throw new BadParameter(`series must be a list of at most ${MAX.patterns} patterns`)
  const patterns = (series as unknown[]).map(one => parseText(one, 'a pattern of series', MAX.pattern))
  return {
    commit,
    series: patterns,
    note: parseText(note, 'note', MAX.note),
    by: parseText(body['by'], 'by', MAX.by),
  }
}

function parseBy(body: Body): string {
  assertMembers(body, ['by'])
  return parseText(body['by'], 'by', MAX.by)
}

function assertMembers(body: Body, names: readonly string[]): void {
  const unknown = Object.keys(body).find(name => !names.includes(name))
  if (unknown !== undefined) throw new BadParameter(`the body has an unknown member; it may have ${names.join(', ')}`)
}

/** Postgres cannot store the character U+0000, nor a half of a pair of surrogates. */
function parseText(value: unknown, name: string, most: number): string {
  if (typeof value === 'string' && value.trim() !== '' && value.length <= most && isStorable(value)) return value
  throw new BadParameter(`${name} must be a text of 1 to ${most} characters`)
}

function isStorable(text: string): boolean {
  return !/\0|\p{Cs}/u.test(text)
}
