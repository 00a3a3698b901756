/** `compare`: reports the changes between two stored commits, and which changes are statistically significant. */

import { isRegression } from '../../../analysis/judge.js'
import type { Control } from '../../../analysis/noise-rows.js'
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
import type { PublishFlags } from './publish-flags.js'
import { publishComparison } from './publish.js'

export type CompareFlags = TargetFlags &
  PublishFlags & {
    readonly format: 'human' | 'json' | 'markdown'
    readonly threshold: number
    readonly control?: readonly Control[]
    readonly failOn?: 'regression'
    readonly gitDir?: string
    readonly baseline?: string
    readonly verbose?: boolean
  }

export const runCompare: Action<CompareFlags> = async (args, flags, context) => {
  const { format, threshold, control: controls, gitDir, baseline, verbose = false } = flags
  const { env, signal, report, columns } = context
  const opener = { openReader: () => openReader(flags, context) }
  const result = await compare(baseOf(args, flags), {
    ...{ head: headOf(args, flags), baseline, pullHead: readPullRequest(env)?.headSha },
    ...{ target: opener, threshold, controls, gitDir, askHosting: hostingOf(context), env, signal },
  })
  const exitCode = compareExitCode(result, flags)
  if (format === 'json') report.json<CompareReport>(compareReport(result, exitCode))
  else if (format === 'markdown') printMarkdown(report, result, verbose)
  else printCompared(report, result, { verbose, columns })
  await publishComparison({ result, exitCode, isPrinted: format === 'markdown' }, flags, context)
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

/** With `--fail-on`, an inconclusive comparison fails too, because a regression could have been missed. */
function compareExitCode({ changes, verdict }: CompareResult, { failOn }: CompareFlags): number {
  if (failOn === undefined) return EXIT.done
  if (changes.some(isRegression)) return EXIT.regression
  return verdict === 'inconclusive' ? EXIT.inconclusive : EXIT.done
}
