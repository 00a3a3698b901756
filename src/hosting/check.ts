/** Reports a result on a commit: as a check run or commit status on GitHub, as a commit status on GitLab. */

import { HostingRefusal, type HostingClient } from './client.js'

export type Conclusion = 'success' | 'failure' | 'neutral'

export type ReportedCheck = {
  /** A later check with the same name on the same commit replaces this one. */
  readonly name: string
  readonly sha: string
  readonly conclusion: Conclusion
  /** The result in one line. */
  readonly title: string
  /** Markdown. */
  readonly summary: string
  /** Web page of the CI run. */
  readonly url: string | undefined
  /** GitLab's pipeline, because a commit may have several. */
  readonly pipeline: string | undefined
}

/** @throws {IngestError} when the service cannot be reached or refuses the request */
export async function reportCheck(client: HostingClient, check: ReportedCheck): Promise<'check run' | 'commit status'> {
  return client.retrying(async () => {
    if (client.hosting.service === 'github' && (await createdCheckRun(client, check))) return 'check run'
    await createStatus(client, check)
    return 'commit status'
  })
}

/** @returns false when the token may not create check runs, because only GitHub Apps may, such as the token of a job */
async function createdCheckRun(client: HostingClient, check: ReportedCheck): Promise<boolean> {
  const { name, sha, conclusion, title, summary, url } = check
  const result = { status: 'completed', conclusion, output: { title: shortened(title, 255), summary } }
  try {
    await client.request('POST', '/check-runs', { name, head_sha: sha, details_url: url, ...result })
    return true
  } catch (error) {
    if (error instanceof HostingRefusal && [403, 404].includes(error.status) && error.retryAfterMs === undefined)
      return false
    throw error
  }
}

/** Neither service has a neutral status: GitHub shows a success, GitLab a job that was skipped. */
const STATES = {
  github: { success: 'success', failure: 'failure', neutral: 'success' },
  gitlab: { success: 'success', failure: 'failed', neutral: 'skipped' },
} as const satisfies Record<string, Record<Conclusion, string>>

/** Maximum length of a description in characters. */
const DESCRIPTION = { github: 140, gitlab: 255 } as const

async function createStatus(client: HostingClient, check: ReportedCheck): Promise<void> {
  const { service } = client.hosting
  const { name, sha, conclusion, title, url, pipeline } = check
  const status = {
    state: STATES[service][conclusion],
    description: shortened(title, DESCRIPTION[service]),
    target_url: url,
  }
  const named = service === 'github' ? { context: name } : { name, ...(pipeline && { pipeline_id: Number(pipeline) }) }
  await client.request('POST', `/statuses/${sha}`, { ...status, ...named })
}

function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`
}
