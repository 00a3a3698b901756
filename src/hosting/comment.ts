/** Keeps one comment on a pull request up to date. A hidden marker in its first line finds the comment again. */

import type { CiAttempt } from '../contract/generation.js'
import type { HostingClient } from './client.js'

export type StickyComment = {
  /** The number of the pull request or merge request. */
  readonly number: number
  /** Comments with different titles exist side by side. */
  readonly title: string
  /** Markdown. */
  readonly body: string
  /** The run that writes the comment. A later run's comment is not replaced by an earlier run's. */
  readonly attempt: CiAttempt | undefined
}

/** `outdated`: a later run has written its comment already. */
export type CommentOutcome = 'created' | 'updated' | 'outdated'

/**
 * Creates or updates the comment. If two jobs run at the same time, both may create one. Each job then looks for duplicates, keeps
 * the oldest comment with the text of the latest run, and deletes the others. Only comments of the token's own user are touched.
 * @throws {IngestError} when the service cannot be reached or refuses a request
 */
export async function keepComment(client: HostingClient, comment: StickyComment): Promise<CommentOutcome> {
  const routes = commentRoutes(client, comment.number)
  const body = `${marker(comment)} -->\n${comment.body}`
  // A retry searches first, so a comment whose answer was lost is not created again.
  return client.retrying(async () => {
    const author = await client.userId()
    const found = await findComments(client, routes, { ...comment, author })
    if (found.length > 0) return settle(client, routes, found, body)
    await client.request('POST', routes.list, { body })
    const created = await findComments(client, routes, { ...comment, author })
    if (created.length > 1) await settle(client, routes, created, body)
    return 'created'
  })
}

type Routes = {
  readonly list: string
  /** Parameters that make the list begin with the oldest comment. */
  readonly order: string
  readonly one: (id: number) => string
  readonly update: 'PATCH' | 'PUT'
}

function commentRoutes({ hosting }: HostingClient, number: number): Routes {
  if (hosting.service === 'github')
    return { list: `/issues/${number}/comments`, order: '', one: id => `/issues/comments/${id}`, update: 'PATCH' }
  const list = `/merge_requests/${number}/notes`
  return { list, order: '&order_by=created_at&sort=asc', one: id => `${list}/${id}`, update: 'PUT' }
}

type Found = { readonly id: number; readonly body: string }

/** Updates the oldest comment to the text of the latest run and deletes the others. */
async function settle(
  client: HostingClient,
  routes: Routes,
  found: readonly Found[],
  body: string,
): Promise<CommentOutcome> {
  const [oldest, ...others] = [...found].sort((one, other) => one.id - other.id)
  const latest = [body, ...found.map(comment => comment.body)].reduce((one, other) =>
    isLater(other, one) ? other : one,
  )
  if (oldest !== undefined && oldest.body !== latest)
    await client.request(routes.update, routes.one(oldest.id), { body: latest })
  for (const { id } of others) await client.remove(routes.one(id))
  return latest === body ? 'updated' : 'outdated'
}

const PREFIX = '<!-- vortex-ingest compare'

/** The beginning of the first line, up to the run: the title is encoded, so that it cannot end the comment of HTML. */
function marker({ title, attempt }: Pick<StickyComment, 'title' | 'attempt'>): string {
  const run = attempt === undefined ? '' : ` run=${attempt.run}.${attempt.attempt}`
  return `${PREFIX} ${encodeURIComponent(title)}${run}`
}

function isLater(body: string, other: string): boolean {
  const [[run, attempt], [otherRun, otherAttempt]] = [runOf(body), runOf(other)]
  return run > otherRun || (run === otherRun && attempt > otherAttempt)
}

function runOf(body: string): readonly [run: number, attempt: number] {
  const [, run = '-1', attempt = '-1'] = / run=(\d+)\.(\d+) -->/.exec(body.split('\n', 1)[0] ?? '') ?? []
  return [Number(run), Number(attempt)]
}

const PAGE = 100
const MAX_PAGES = 50

type Search = Pick<StickyComment, 'title'> & { readonly author: number | undefined }

async function findComments(
  client: HostingClient,
  routes: Routes,
  { title, author }: Search,
): Promise<readonly Found[]> {
  const beginning = `${marker({ title, attempt: undefined })} `
  const found: Found[] = []
  for (let page = 1; page <= MAX_PAGES; page++) {
    const comments = await client.request('GET', `${routes.list}?per_page=${PAGE}&page=${page}${routes.order}`)
    const list = Array.isArray(comments) ? (comments as unknown[]).map(parseComment) : []
    found.push(...list.filter(one => one.body.startsWith(beginning) && isOwn(one, author)))
    if (list.length < PAGE) break
  }
  return found
}

type Comment = Found & { readonly author: number; readonly isBot: boolean }

type Author = { readonly id?: unknown; readonly type?: unknown }

function parseComment(comment: unknown): Comment {
  const { id, body, user, author } = (comment ?? {}) as Readonly<Record<string, unknown>>
  const writer = (user ?? author ?? {}) as Author
  return {
    id: Number(id),
    body: typeof body === 'string' ? body : '',
    author: Number(writer.id),
    isBot: writer.type === 'Bot',
  }
}

/** The token of a GitHub job has no user of its own, and writes as a bot. */
function isOwn(comment: Comment, author: number | undefined): boolean {
  return author === undefined ? comment.isBot : comment.author === author
}
