/** Reads the first-parent history of a commit from GitHub or GitLab, for clones that do not have it. */

import { isFullSha } from '../contract/commit.js'
import { IngestError } from '../errors.js'
import { HostingClient, type HostingWorld } from './client.js'
import { findHosting } from './hosting.js'

/** Number of commits that both services return in one answer at most. */
const PAGE = 100

/** A repository with many commits per merge needs many answers, because GitHub lists the commits of all parents. */
const MAX_REQUESTS = 50

export type HostedAncestry = {
  /** Full ids, newest first; begins with the commit itself. */
  readonly shas: readonly string[]
  /** Whether the history reaches the first commit or the limit. */
  readonly isComplete: boolean
}

export type AncestryOptions = HostingWorld & {
  /** https address of the repository. Default: that of the CI run. */
  readonly repoUrl?: string | undefined
  /** Maximum number of commits. */
  readonly limit: number
}

/**
 * Follows first parents from a commit.
 * @param sha 40 lowercase hex digits
 * @returns undefined when neither GitHub nor GitLab hosts the repository
 * @throws {IngestError} when the service cannot be reached, refuses the request or does not know the commit
 */
export async function hostedAncestry(sha: string, options: AncestryOptions): Promise<HostedAncestry | undefined> {
  const hosting = findHosting(options.env, options.repoUrl)
  if (hosting === undefined) return undefined
  const client = await HostingClient.open(hosting, options)
  try {
    return await followFirstParents(client, sha, options.limit)
  } finally {
    client.close()
  }
}

type Parents = ReadonlyMap<string, string | undefined>

/** Every request starts at the first commit that is still unknown, so each one makes progress. */
async function followFirstParents(client: HostingClient, sha: string, limit: number): Promise<HostedAncestry> {
  const shas: string[] = []
  let next: string | undefined = sha
  for (let requests = 0; next !== undefined && shas.length < limit; requests++) {
    if (requests === MAX_REQUESTS) return { shas, isComplete: false }
    const start = next
    const parents: Parents = await client.retrying(() => listCommits(client, start))
    if (!parents.has(start)) throw unknownCommit(start, client)
    while (next !== undefined && parents.has(next) && shas.length < limit) {
      shas.push(next)
      next = parents.get(next)
    }
  }
  return { shas, isComplete: true }
}

/** The first parent of each commit in a list that begins with `start`; undefined for a commit without parents. */
async function listCommits(client: HostingClient, start: string): Promise<Parents> {
  const isGithub = client.hosting.service === 'github'
  const route = isGithub ? '/commits?sha=' : '/repository/commits?first_parent=true&ref_name='
  const commits = await client.request('GET', `${route}${start}&per_page=${PAGE}`)
  if (!Array.isArray(commits)) throw unknownCommit(start, client)
  return new Map((commits as unknown[]).flatMap(commit => (isGithub ? githubEntry(commit) : gitlabEntry(commit))))
}

type Entry = readonly [sha: string, parent: string | undefined]

function githubEntry(commit: unknown): readonly Entry[] {
  const { sha, parents } = (commit ?? {}) as { readonly sha?: unknown; readonly parents?: readonly { sha?: unknown }[] }
  return entry(sha, parents?.[0]?.sha)
}

function gitlabEntry(commit: unknown): readonly Entry[] {
  const { id, parent_ids: parents } = (commit ?? {}) as { readonly id?: unknown; readonly parent_ids?: unknown[] }
  return entry(id, parents?.[0])
}

/** Ids that are not full ids are left out, so that they reach neither requests nor output. */
function entry(sha: unknown, parent: unknown): readonly Entry[] {
  if (typeof sha !== 'string' || !isFullSha(sha)) return []
  return [[sha, typeof parent === 'string' && isFullSha(parent) ? parent : undefined]]
}

function unknownCommit(sha: string, { hosting }: HostingClient): IngestError {
  return new IngestError('commit_unknown', `${hosting.api}${hosting.path} has no commit ${sha}`, {
    hint: 'publish the commit with `git push`',
  })
}
