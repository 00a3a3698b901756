/** Environment variables that apply to every command. */

import { detectCi, type Environment } from '../commit/ci.js'

/** Prefix of the variables that set flags: `VORTEX_INGEST_COMMIT_SHA` sets `--commit-sha`. */
export const ENV_PREFIX = 'VORTEX_INGEST_'

/** The variable with the key of the hash that `--pii mask` writes. */
export const PII_KEY_VARIABLE = `${ENV_PREFIX}PII_KEY`

/** The variables whose names start with a prefix, such as `PG` or `AWS_`. */
export function startingWith(prefix: string, env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith(prefix)))
}

/** Whether the process runs in CI, where output is not interactive even with a terminal. */
export function isCi(env: Environment): boolean {
  return detectCi(env) !== undefined
}

/** Whether to colour output: only on a terminal, unless NO_COLOR or FORCE_COLOR says otherwise (no-color.org). */
export function wantsColor(stream: { readonly isTTY?: boolean }, env: Environment): boolean {
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false
  if (env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0') return true
  return stream.isTTY === true && env['TERM'] !== 'dumb'
}

/** Whether a text looks like a variable name. Any other text may be the secret itself, given by mistake. */
export function isVariableName(text: string): boolean {
  return /^[A-Z][A-Z0-9_]*$/.test(text)
}

/** The files that GitHub Actions gives a step for reporting on the run. */
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
