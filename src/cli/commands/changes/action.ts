/** `changes`: finds the commits that changed measurements for good. */

import { changes, type ChangesResult } from '../../../delivery/changes.js'
import { isNewRegression } from '../../../delivery/found-changes.js'
import { EXIT } from '../../../errors.js'
import type { ChangesReport } from '../../../reports/changes.js'
import type { Action } from '../../context.js'
import { printChanges } from './human.js'
import { changesReport } from './json.js'
import { changesMarkdown } from './markdown.js'
import { hostingOf } from '../../options/open-reader.js'
import { openPlace, type PlaceFlags } from './open-place.js'

export type ChangesFlags = PlaceFlags & {
  readonly format: 'human' | 'json' | 'markdown'
  readonly threshold: number
  readonly head?: string
  readonly since?: string
  readonly group?: string
  readonly failOn?: 'new'
  readonly gitDir?: string
  readonly verbose?: boolean
}

export const runChanges: Action<ChangesFlags> = async (_, flags, context) => {
  const { format, threshold, head, since, group, gitDir, verbose = false } = flags
  const { env, signal, report } = context
  const { reader, accepted, close } = await openPlace(flags, context)
  const target = { openReader: async () => ({ ...reader, close }) }
  const choice = { head, since, group, threshold, gitDir, askHosting: hostingOf(context) }
  const result = await changes({ target, accepted, ...choice, env, signal })
  const exitCode = changesExitCode(result, flags)
  if (format === 'json') report.json<ChangesReport>(changesReport(result, exitCode))
  else if (format === 'markdown') report.result(changesMarkdown(result, verbose))
  else printChanges(report, result, verbose)
  return exitCode
}

function changesExitCode({ commits }: ChangesResult, { failOn }: ChangesFlags): number {
  const isRegressed = commits.some(({ changes }) => changes.some(isNewRegression))
  return failOn === 'new' && isRegressed ? EXIT.regression : EXIT.done
}
