/** Reads the fields of a commit from GitHub, for clones that do not have the commit. */

import { commitUrl } from '../commit/repo-url.js'
import type { Ancestry, MeasuredCommit } from '../contract/ancestry.js'
import { isFullSha } from '../contract/commit.js'
import { isTimestamp } from '../contract/timestamp.js'
import { IngestError } from '../errors.js'
import { HostingClient, type HostingWorld } from './client.js'
import { findHosting } from './hosting.js'

export type HostedCommitOptions = HostingWorld & {
  /** https address of the repository. Default: that of the CI run. */
  readonly repoUrl?: string | undefined
}

/**
 * @param sha 40 lowercase hex digits
 * @returns undefined when GitHub does not host the repository. GitLab's answers lack the tree of a commit
 * @throws {IngestError} when GitHub cannot be reached, refuses the request, or does not know the commit
 */
export async function hostedCommit(sha: string, options: HostedCommitOptions): Promise<MeasuredCommit | undefined> {
  const hosting = findHosting(options.env, options.repoUrl)
  if (hosting?.service !== 'github' || options.repoUrl === undefined) return undefined
  const client = await HostingClient.open(hosting, options)
  try {
    return parseCommit(sha, await client.retrying(() => client.request('GET', `/commits/${sha}`)), options.repoUrl)
  } finally {
    client.close()
  }
}

type Person = { readonly name?: unknown; readonly email?: unknown; readonly date?: unknown }

type CommitAnswer = {
  readonly sha?: unknown
  readonly parents?: readonly { readonly sha?: unknown }[]
  readonly commit?: {
    readonly message?: unknown
    readonly author?: Person | null
    readonly committer?: Person | null
    readonly tree?: { readonly sha?: unknown }
  }
}

/** The times of the answer are in UTC, whatever the time zone of the commit. */
function parseCommit(sha: string, answer: unknown, repoUrl: string): MeasuredCommit {
  const { sha: answered, parents, commit } = (answer ?? {}) as CommitAnswer
  const { author, committer, tree } = commit ?? {}
  const fields = {
    ...{ sha, timestamp: textOf(committer?.date), message: subjectOf(textOf(commit?.message)) },
    ...{ author_name: textOf(author?.name), author_email: textOf(author?.email) },
    ...{ committer_name: textOf(committer?.name), committer_email: textOf(committer?.email) },
    tree_sha: textOf(tree?.sha),
  }
  if (answered !== sha || !isTimestamp(fields.timestamp) || !isFullSha(fields.tree_sha))
    throw new IngestError('target_misconfigured', `GitHub did not answer with commit ${sha}`)
  return { ...fields, url: commitUrl(repoUrl, sha), ancestry: parseAncestors(parents) }
}

/** @returns undefined when the answer does not name the parents */
function parseAncestors(parents: CommitAnswer['parents']): Ancestry | undefined {
  if (!Array.isArray(parents)) return undefined
  const shas = (parents as readonly { readonly sha?: unknown }[]).map(parent => textOf(parent.sha))
  return shas.every(isFullSha)
    ? { parents: shas, firstParents: shas.slice(0, 1), isComplete: shas.length === 0 }
    : undefined
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** The first paragraph on one line, like the placeholder %s of git. */
function subjectOf(message: string): string {
  const [first = ''] = message.replace(/^\s*\n/, '').split(/\n\s*\n/)
  return first.trimEnd().replace(/\n/g, ' ')
}
