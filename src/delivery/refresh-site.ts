/** Notifies the website of new measurements and warms up its cache (contract section 4). */

import { messageOf } from '../errors.js'
import { describeServer, routeUrl, type HttpAddress } from '../http/address.js'
import { agentFor } from '../http/agent.js'
import { exchange, type HttpAnswer } from '../http/exchange.js'
import { answerText, statusWithText } from '../http/answer-text.js'

export type RefreshOptions = {
  readonly address: HttpAddress
  readonly warm: boolean
  readonly signal: AbortSignal
}

export type Refreshed = {
  readonly revalidated: boolean
  /** Number of pages fetched successfully. */
  readonly warmed: number
  /** Failures as messages for the user. */
  readonly problems: readonly string[]
}

const SILENCE_MS = 10_000
/** Limit for all requests together, because a push should not wait long for this optional step. */
const DEADLINE_MS = 60_000
const AT_ONCE = 4
const MAX_GROUPS_BYTES = 4 * 1024 * 1024

/** Revalidates the site and, if asked, fetches its pages. Never throws. Skips the warm-up when revalidation fails. */
export async function refreshSite({ address, warm, signal }: RefreshOptions): Promise<Refreshed> {
  const problems: string[] = []
  let warmed = 0
  const agent = await agentFor(address).catch((error: unknown) => void problems.push(messageOf(error)))
  if (agent === undefined) return { revalidated: false, warmed, problems }
  const limits = { agent, idleTimeoutMs: SILENCE_MS, maxAnswerBytes: MAX_GROUPS_BYTES }
  const both = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)])
  const ask = async (method: 'GET' | 'POST', path: string): Promise<HttpAnswer | undefined> => {
    const headers = method === 'POST' ? { authorization: `Bearer ${address.token}`, 'content-length': 0 } : {}
    try {
      const url = routeUrl(address.base, path)
      const answer = await exchange({ method, url, headers, ...limits, signal: both })
      if (answer.status === 200) return answer
      problems.push(
        `${method} ${describeServer(address.base)}${path} answered ${statusWithText(answer, address.token)}`,
      )
    } catch (error) {
      problems.push(`${method} ${describeServer(address.base)}${path}: ${messageOf(error)}`)
    }
    return undefined
  }
  const get = async (path: string): Promise<HttpAnswer | undefined> => {
    const answer = await ask('GET', path)
    if (answer !== undefined) warmed++
    return answer
  }
  try {
    const revalidated = (await ask('POST', '/api/revalidate')) !== undefined
    if (!revalidated || !warm) return { revalidated, warmed, problems }
    const [, groups] = await Promise.all([get('/'), get('/api/groups')])
    const slugs = groups === undefined ? [] : slugsIn(groups.text)
    if (slugs === undefined) problems.push(`GET ${describeServer(address.base)}/api/groups ${notJson(groups?.text)}`)
    await inTurns(slugs ?? [], slug => get(`/api/group/${encodeURIComponent(slug)}?n=100`))
    return { revalidated, warmed, problems }
  } finally {
    agent.destroy()
  }
}

/** Visits all slugs, at most `AT_ONCE` at the same time. */
async function inTurns(slugs: readonly string[], visit: (slug: string) => Promise<unknown>): Promise<void> {
  const left = slugs.values()
  const worker = async (): Promise<void> => {
    for (const slug of left) await visit(slug)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

/** Every `slug` in the list of groups, at any depth; undefined when the text is not JSON. */
function slugsIn(text: string): readonly string[] | undefined {
  const slugs = new Set<string>()
  try {
    JSON.parse(text, (key, value: unknown) => {
      if (key === 'slug' && typeof value === 'string') slugs.add(value)
      return value
    })
  } catch {
    return undefined
  }
  return [...slugs]
}

function notJson(text = ''): string {
  if (Buffer.byteLength(text) >= MAX_GROUPS_BYTES) return 'answered more than 4 MiB, so no group was fetched'
  const said = answerText({ text })
  return `answered 200, but not with JSON${said === '' ? '' : ` (${said})`}`
}
