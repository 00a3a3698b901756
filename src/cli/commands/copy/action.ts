/** `copy`: copies the history of one place to another. */

import { runMeta } from '../../../commit/ci.js'
import { timeAt } from '../../../config/option.js'
import { stateConfig, type StateFlags } from '../../../config/state.js'
import { CONTRACT } from '../../../contract/kinds.js'
import { copy, type CopyOptions, type CopyResult } from '../../../delivery/copy/copy.js'
import type { CopyFilter, CopySource } from '../../../delivery/copy/copy-source.js'
import type { IdMismatch } from '../../../delivery/copy/prepare-batch.js'
import { EXIT, IngestError } from '../../../errors.js'
import type { CopyReport } from '../../../reports/copy.js'
import { copyPosition } from '../../../state/copy-position.js'
import type { Action, Context, Format } from '../../context.js'
import { openConfiguredState } from '../../options/open-state.js'
import { rowsOpener } from '../verify/rows.js'
import { mismatchLine, printCopied } from './human.js'
import { openSource, openTarget, type OpenedTarget, type PlaceFlags } from './places.js'

export type CopyFlags = PlaceFlags &
  StateFlags & {
    readonly from?: string
    readonly to?: string
    readonly since?: string
    readonly until?: string
    readonly kind?: string
    readonly trustIds?: boolean
    readonly verify?: boolean
    readonly downgrade?: boolean
    readonly report?: string
    readonly format?: Format
  }

/** The number of rows with another id, and of differences, that are listed. */
const MAX_LISTED = 20

export const runCopy: Action<CopyFlags> = async (_args, flags, context) => {
  const { from, to } = flags
  if (from === undefined || to === undefined)
    throw new IngestError('usage', `missing ${from === undefined ? 'source' : 'target'}`, {
      hint: 'name both: --from SOURCE --to TARGET',
    })
  const source = await openSource(from, flags, context)
  const opened = await openTarget(to, flags, context)
  if (opened.target.opener.id === source.id)
    throw new IngestError('usage', `${source.description} is both source and target`)
  const mismatches: IdMismatch[] = []
  const onMismatch = (mismatch: IdMismatch): void => {
    if (mismatches.push(mismatch) > MAX_LISTED) mismatches.pop()
    else if (flags.format !== 'json') context.report.finding(mismatchLine(mismatch))
  }
  const result = await copyWithState(source, opened, { flags, context, onMismatch })
  const report = copyReport(result, {
    source: source.description,
    target: opened.target.opener.description,
    mismatches,
    flags,
  })
  if (flags.format === 'json') context.report.json<CopyReport>(report)
  else printCopied(context.report, report, flags.trustIds === true)
  context.reportFile?.json<CopyReport>(report)
  return report.exit_code
}

type Copying = {
  readonly flags: CopyFlags
  readonly context: Context
  readonly onMismatch: CopyOptions['onMismatch']
}

async function copyWithState(
  source: CopySource,
  { kind, options, target }: OpenedTarget,
  { flags, context, onMismatch }: Copying,
): Promise<CopyResult> {
  const { env, signal, watch, now } = context
  const filter = copyFilter(flags, now())
  const config = stateConfig(flags, env)
  const state = config && (await openConfiguredState(config, context))
  const { since = '', until = '', kind: kindName = '', trustIds = false } = flags
  const name = { source: source.id, target: target.opener.id, part: [since, until, kindName, trustIds].join(' ') }
  const onEvent = await watch?.deliveries(`copying to ${target.opener.description}`)
  try {
    return await copy(source, {
      ...{ target, filter, trustIds, onMismatch, signal, now: Date.now, mayDowngrade: flags.downgrade === true },
      run: runMeta({ benchmarkId: 'copy', now }),
      position: state && copyPosition(state, name),
      openRows: flags.verify === true ? rowsOpener(kind, options, context) : undefined,
      onEvent: onEvent ?? (() => undefined),
    })
  } finally {
    await state?.storage.close()
  }
}

function copyFilter({ since, until, kind: name }: CopyFlags, now: Date): CopyFilter {
  const time = (text: string | undefined): string | undefined => (text === undefined ? undefined : timeAt(text, now))
  const kinds = CONTRACT.kinds.filter(({ kind }) => name === undefined || kind === name)
  return { since: time(since), until: time(until), kinds }
}

type Reported = Pick<CopyReport, 'source' | 'target'> & {
  readonly mismatches: readonly IdMismatch[]
  readonly flags: CopyFlags
}

function copyReport(result: CopyResult, { source, target, mismatches, flags }: Reported): CopyReport {
  const { commits, totals, mismatched, continuedAfter, verification } = result
  const { records, inserted, updated, unchanged } = totals
  const isGood = (mismatched === 0 || flags.trustIds === true) && (verification?.different ?? 0) === 0
  return {
    ...{ command: 'copy', exit_code: isGood ? EXIT.done : EXIT.mismatch, source, target },
    ...{ continued_after: continuedAfter ?? null, commits, records, inserted, updated, unchanged, mismatched },
    mismatches: mismatches.map(({ table, storedId, id }) => ({ table, stored_id: storedId, id })),
    verified:
      verification === undefined
        ? null
        : {
            ...verification,
            differences: verification.differences.map(({ source: place, code, message }) => ({ place, code, message })),
          },
  }
}
