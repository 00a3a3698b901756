/** What GitHub Actions gives a step to tell the run by. */

import type { Environment } from '../commit/ci.js'

export type GithubConfig = {
  /** Markdown for the page of the run. */
  readonly summaryFile: string | undefined
  /** `name=value` lines for later steps. */
  readonly outputFile: string | undefined
  /** The folder that file names on the page are relative to. */
  readonly workspace: string | undefined
}

/** @returns undefined outside of GitHub Actions */
export function githubConfig(env: Environment): GithubConfig | undefined {
  if (env['GITHUB_ACTIONS'] !== 'true') return undefined
  return Object.freeze({
    summaryFile: env['GITHUB_STEP_SUMMARY'] || undefined,
    outputFile: env['GITHUB_OUTPUT'] || undefined,
    workspace: env['GITHUB_WORKSPACE'] || undefined,
  })
}
