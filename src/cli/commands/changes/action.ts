/** `changes`: finds the commits that changed measurements for good. */

import { changes, type ChangesResult } from '../../../delivery/changes.js'
import { isNewRegression } from '../../../delivery/found-changes.js'
import { EXIT } from '../../../errors.js'
import type { ChangesReport } from '../../../reports/changes.js'
import type { Action, Context } from '../../context.js'
import { printChanges } from './human.js'
import { changesReport } from './json.js'
import { changesMarkdown } from './markdown.js'
import { hostingOf } from '../../options/open-reader.js'
import { openMeasurements, type MeasurementFlags } from './open-measurements.js'

/** Flags that select the history and the changes. */
export type SelectionFlags = MeasurementFlags & {
  readonly threshold: number
  readonly head?: string
  readonly since?: string
  readonly group?: string
  readonly gitDir?: string
}

export type ChangesFlags = SelectionFlags & {
  readonly format: 'human' | 'json' | 'markdown'
  readonly failOn?: 'new'
  readonly verbose?: boolean
}

export const runChanges: Action<ChangesFlags> = async (_, flags, context) => {
  const { format, verbose = false } = flags
  const { report } = context
  const result = await findChanges(flags, context)
  const exitCode = changesExitCode(result, flags)
  if (format === 'json') report.json<ChangesReport>(changesReport(result, exitCode))
  else if (format === 'markdown') report.result(changesMarkdown(result, verbose))
  else printChanges(report, result, verbose)
  return exitCode
}

export async function findChanges(flags: SelectionFlags, context: Context): Promise<ChangesResult> {
  const { threshold, head, since, group, gitDir } = flags
  const { env, signal } = context
  const { reader, accepted, close } = await openMeasurements(flags, context)
  const target = { openReader: async () => ({ ...reader, close }) }
  const choice = { head, since, group, threshold, gitDir, askHosting: hostingOf(context) }
  return changes({ target, accepted, ...choice, env, signal })
}

function changesExitCode({ commits }: ChangesResult, { failOn }: ChangesFlags): number {
  const isRegressed = commits.some(({ changes }) => changes.some(isNewRegression))
  return failOn === 'new' && isRegressed ? EXIT.regression : EXIT.done
}
