/** `compare`: reports the changes between two stored commits, and which changes are statistically significant. */

import { isRegression } from '../../../analysis/judge.js'
import type { TargetFlags } from '../../../targets/kinds.js'
import { compare, type CompareResult } from '../../../delivery/compare.js'
import { EXIT } from '../../../errors.js'
import type { CompareReport } from '../../../reports/compare.js'
import type { Action } from '../../context.js'
import { openReader } from '../../options/open-reader.js'
import { printCompared } from './human.js'
import { compareReport } from './json.js'
import { printMarkdown } from './markdown.js'

export type CompareFlags = TargetFlags & {
  readonly format: 'human' | 'json' | 'markdown'
  readonly threshold: number
  readonly failOn?: 'regression'
  readonly gitDir?: string
  readonly verbose?: boolean
}

export const runCompare: Action<CompareFlags> = async ([base = '', head], flags, context) => {
  const { format, threshold, gitDir, verbose = false } = flags
  const { env, signal, report, columns } = context
  const opener = { openReader: () => openReader(flags, context) }
  const result = await compare(base, { head, target: opener, threshold, gitDir, env, signal })
  const exitCode = compareExitCode(result, flags)
  if (format === 'json') report.json<CompareReport>(compareReport(result, exitCode))
  else if (format === 'markdown') printMarkdown(report, result, verbose)
  else printCompared(report, result, { verbose, columns })
  return exitCode
}

/** With `--fail-on regression` it also fails when nothing was compared. */
function compareExitCode({ changes }: CompareResult, { failOn }: CompareFlags): number {
  const fails = failOn !== undefined && (changes.length === 0 || changes.some(isRegression))
  return fails ? EXIT.mismatch : EXIT.done
}
