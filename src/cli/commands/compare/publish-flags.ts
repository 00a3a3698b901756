/** Flags of `compare` that publish its result in CI. */

import type { Option } from 'commander'
import { flag } from '../../options/flags.js'

export const TITLE = 'vortex-ingest compare'

export type PublishFlags = {
  readonly comment?: boolean
  readonly check?: boolean
  readonly annotate?: boolean
  readonly title?: string
}

export const publishFlags = (): readonly Option[] => [
  flag('--comment', 'in CI: keep one comment on the pull request up to date (GitHub, GitLab)'),
  flag('--check', 'in CI: report a check run or commit status on the head of the pull request, or on HEAD'),
  flag('--annotate', 'in GitHub Actions: annotate the run with each series that regressed'),
  flag('--title <text>', `title of the comment and the check; give each job a different one (default: ${TITLE})`),
]
