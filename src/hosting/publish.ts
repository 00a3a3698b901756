/** Publishes a result where a commit is reviewed: a comment on its pull request, and a check on the commit. */

import { ciRunUrl, detectCi } from '../commit/ci.js'
import { readPullRequest } from '../commit/pull-request.js'
import { HostingClient, type HostingWorld } from './client.js'
import { reportCheck, type Conclusion } from './check.js'
import { keepComment } from './comment.js'
import { findHosting } from './hosting.js'

export type Publication = {
  /** The name of the check, which also tells comments apart. */
  readonly title: string
  /** The result in one line. */
  readonly headline: string
  readonly markdown: string
  readonly conclusion: Conclusion
  /** The commit that was judged. */
  readonly sha: string
  readonly comment: boolean
  readonly check: boolean
}

export type Published = {
  readonly what: 'comment' | 'check'
  /** `skipped`: the run has no pull request, or no repository on GitHub or GitLab. */
  readonly status: 'done' | 'skipped' | 'failed'
  /** The outcome in words, or the reason why nothing was done. */
  readonly detail: string
  readonly error?: unknown
}

/** Never throws, except when it is stopped: each failure is a result. */
export async function publish(publication: Publication, world: HostingWorld): Promise<readonly Published[]> {
  const wanted = (['comment', 'check'] as const).filter(what => publication[what])
  const pull = readPullRequest(world.env)
  const hosting = findHosting(world.env, pull?.repoUrl)
  if (hosting === undefined) {
    const detail = 'the CI run has no repository on GitHub or GitLab'
    return wanted.map(what => ({ what, status: 'skipped', detail }))
  }
  const results: Published[] = []
  for (const what of wanted)
    results.push(await attempted(what, world, () => HostingClient.open(hosting, world), publication))
  return results
}

async function attempted(
  what: Published['what'],
  world: HostingWorld,
  open: () => Promise<HostingClient>,
  publication: Publication,
): Promise<Published> {
  try {
    const client = await open()
    try {
      return await (what === 'comment' ? comment(client, publication, world) : check(client, publication, world))
    } finally {
      client.close()
    }
  } catch (error) {
    world.signal.throwIfAborted()
    return { what, status: 'failed', detail: '', error }
  }
}

async function comment(
  client: HostingClient,
  { title, markdown }: Publication,
  { env }: HostingWorld,
): Promise<Published> {
  const what = 'comment'
  const number = readPullRequest(env)?.number
  if (number === undefined) return { what, status: 'skipped', detail: 'the CI run has no pull request' }
  const url = ciRunUrl(env)
  const body = `### ${title}\n\n${markdown}${url === undefined ? '' : `\n\n[CI run](${url})`}`
  const outcome = await keepComment(client, { number, title, body, attempt: detectCi(env)?.attempt })
  const detail = outcome === 'outdated' ? 'a later run has commented already' : `${outcome} on pull request ${number}`
  return { what, status: outcome === 'outdated' ? 'skipped' : 'done', detail }
}

async function check(client: HostingClient, publication: Publication, { env }: HostingWorld): Promise<Published> {
  const { title, headline, markdown } = publication
  const isGitlab = client.hosting.service === 'gitlab'
  const headSha = readPullRequest(env)?.headSha
  // GitLab shows a status at the commit of its pipeline, for merged results the merge. GitHub shows the checks of the head.
  const sha = (isGitlab ? env.CI_COMMIT_SHA : headSha) ?? publication.sha
  const isOther = headSha !== undefined && headSha !== publication.sha
  // A success would say that the head is good, which was not judged.
  const conclusion = isOther && publication.conclusion === 'success' ? 'neutral' : publication.conclusion
  const result = { name: title, sha, conclusion, title: headline, summary: markdown, url: ciRunUrl(env) }
  const made = await reportCheck(client, { ...result, pipeline: isGitlab ? env.CI_PIPELINE_ID : undefined })
  return { what: 'check', status: 'done', detail: `${made} on commit ${sha.slice(0, 7)}` }
}
