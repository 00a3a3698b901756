/** The files that GitHub Actions gives a step for reporting on the run. */

import type { Environment } from '../commit/ci.js'

export type GithubConfig = {
  /** File for Markdown to show on the page of the run. */
  readonly summaryFile: string | undefined
  /** File for `name=value` lines, which later steps can read. */
  readonly outputFile: string | undefined
  /** The folder to which file names on the page are relative. */
  readonly workspace: string | undefined
}

/** The configuration; undefined outside GitHub Actions. */
export function githubConfig(env: Environment): GithubConfig | undefined {
  if (env['GITHUB_ACTIONS'] !== 'true') return undefined
  return Object.freeze({
    summaryFile: env['GITHUB_STEP_SUMMARY'] || undefined,
    outputFile: env['GITHUB_OUTPUT'] || undefined,
    workspace: env['GITHUB_WORKSPACE'] || undefined,
  })
}
