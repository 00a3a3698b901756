/** Tells the site that shows the measurements that there are new ones, and warms it up: contract section 4. */

import { messageOf } from '../errors.js'
import { describeServer, routeOf, type HttpAddress } from '../sink/http/address.js'
import { agentFor } from '../sink/http/agent.js'
import { exchange, type HttpAnswer } from '../sink/http/exchange.js'

export type RefreshOptions = {
  readonly address: HttpAddress
  readonly warm: boolean
  readonly signal: AbortSignal
}

export type Refreshed = {
  readonly revalidated: boolean
  /** Pages that were fetched well. */
  readonly warmed: number
  /** What went wrong, in words. */
  readonly problems: readonly string[]
}

const SILENCE_MS = 10_000
/** For all of it: nobody waits for a courtesy. */
const DEADLINE_MS = 60_000
const AT_ONCE = 4
const MAX_GROUPS_BYTES = 4 * 1024 * 1024

/** Best effort: never throws. Nothing is warmed up where revalidating failed. */
export async function refreshSite({ address, warm, signal }: RefreshOptions): Promise<Refreshed> {
  const problems: string[] = []
  let warmed = 0
  const agent = await agentFor(address).catch((error: unknown) => void problems.push(messageOf(error)))
  if (agent === undefined) return { revalidated: false, warmed, problems }
  const limits = { agent, silenceMs: SILENCE_MS, maxAnswerBytes: MAX_GROUPS_BYTES }
  const both = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)])
  const ask = async (method: 'GET' | 'POST', path: string): Promise<HttpAnswer | undefined> => {
    const headers = method === 'POST' ? { authorization: `Bearer ${address.token}`, 'content-length': 0 } : {}
    try {
      const url = routeOf(address.base, path)
      const answer = await exchange({ method, url, headers, ...limits, signal: both })
      if (answer.status === 200) return answer
      problems.push(`${method} ${describeServer(address.base)}${path} answered ${answer.status}`)
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
    await inTurns(slugsOf(groups?.text ?? ''), slug => get(`/api/group/${encodeURIComponent(slug)}?n=100`))
    return { revalidated, warmed, problems }
  } finally {
    agent.destroy()
  }
}

/** At most `AT_ONCE` at a time. */
async function inTurns(slugs: readonly string[], visit: (slug: string) => Promise<unknown>): Promise<void> {
  const left = slugs.values()
  const worker = async (): Promise<void> => {
    for (const slug of left) await visit(slug)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

/** Every `slug` in the list of groups, however the site nests them. */
function slugsOf(text: string): readonly string[] {
  const slugs = new Set<string>()
  try {
    JSON.parse(text, (key, value: unknown) => {
      if (key === 'slug' && typeof value === 'string') slugs.add(value)
      return value
    })
  } catch {
    // No JSON, no groups: the request itself was fine.
  }
  return [...slugs]
}
