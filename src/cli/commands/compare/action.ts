/** `compare`: reports the changes between two stored commits, and which changes are statistically significant. */

import { isRegression } from '../../../analysis/judge.js'
import type { TargetFlags } from '../../../targets/kinds.js'
import { compare, type CompareResult } from '../../../delivery/compare.js'
import { readPullRequest } from '../../../commit/pull-request.js'
import { EXIT, IngestError } from '../../../errors.js'
import type { CompareReport } from '../../../reports/compare.js'
import type { Action } from '../../context.js'
import { hostingOf, openReader } from '../../options/open-reader.js'
import { printCompared } from './human.js'
import { compareReport } from './json.js'
import { printMarkdown } from './markdown.js'

export type CompareFlags = TargetFlags & {
  readonly format: 'human' | 'json' | 'markdown'
  readonly threshold: number
  readonly failOn?: 'regression'
  readonly gitDir?: string
  readonly baseline?: string
  readonly verbose?: boolean
}

export const runCompare: Action<CompareFlags> = async (args, flags, context) => {
  const { format, threshold, gitDir, baseline, verbose = false } = flags
  const { env, signal, report, columns } = context
  const opener = { openReader: () => openReader(flags, context) }
  const result = await compare(baseOf(args, flags), {
    ...{ head: headOf(args, flags), baseline, checkedOut: readPullRequest(env)?.headSha },
    ...{ target: opener, threshold, gitDir, askHosting: hostingOf(context), env, signal },
  })
  const exitCode = compareExitCode(result, flags)
  if (format === 'json') report.json<CompareReport>(compareReport(result, exitCode))
  else if (format === 'markdown') printMarkdown(report, result, verbose)
  else printCompared(report, result, { verbose, columns })
  return exitCode
}

/** With `--baseline` the only argument is the head. */
function baseOf([first]: readonly string[], { baseline }: CompareFlags): string | undefined {
  return baseline === undefined ? first : undefined
}

/** @throws {IngestError} `usage` for two arguments with `--baseline` */
function headOf([first, second]: readonly string[], { baseline }: CompareFlags): string | undefined {
  if (baseline === undefined) return second
  if (second === undefined) return first
  const hint = 'give only HEAD as an argument, or leave out --baseline'
  throw new IngestError('usage', '--baseline and an argument both name BASE', { hint })
}

/** With `--fail-on regression` it also fails when nothing was compared. */
function compareExitCode({ changes }: CompareResult, { failOn }: CompareFlags): number {
  const fails = failOn !== undefined && (changes.length === 0 || changes.some(isRegression))
  return fails ? EXIT.mismatch : EXIT.done
}
