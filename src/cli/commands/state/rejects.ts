/** `state rejects`: lists rejected lines in a state, writes them into a file, and removes them. */

import { requiredStateConfig } from '../../../config/state.js'
import { EXIT } from '../../../errors.js'
import type {
  RejectSetReport,
  StateRejectsExportReport,
  StateRejectsListReport,
  StateRejectsRemoveReport,
} from '../../../reports/state.js'
import { reasonsPath } from '../../../source/rejection.js'
import { writeRejectFiles } from '../../../source/rejects.js'
import { findRejects, joinedSets, listRejects, removeRejects, type StoredRejects } from '../../../state/rejects.js'
import { oneLine } from '../../../visible-text.js'
import { count, plural } from '../../output/report.js'
import { type StateAction, withState } from './with-state.js'

export const runRejectsList: StateAction = (_, flags, context) =>
  withState(requiredStateConfig(flags, context.env), context, async ({ storage }) => {
    const sets = await listRejects(storage)
    const { report } = context
    if (flags.format === 'json') {
      const common = { command: 'state rejects ls', exit_code: EXIT.done, state: storage.description } as const
      report.json<StateRejectsListReport>({ ...common, sets: sets.map(rejectSetReport) })
      return EXIT.done
    }
    for (const { id, at, rejected, partition, sources } of sets)
      report.result(
        oneLine(`${id}  ${at}  ${plural(rejected, 'line')}  ${partition.slice(0, 7)}  ${sources.join(', ')}`),
      )
    report.note(`${plural(countLines(sets), 'rejected line')} in ${storage.description}`)
    return EXIT.done
  })

export const runRejectsExport: StateAction = ([file = '', ...ids], flags, context) =>
  withState(requiredStateConfig(flags, context.env), context, async ({ storage }) => {
    const sets = await findRejects(storage, ids)
    const { report } = context
    const lines = countLines(sets)
    if (lines > 0) await writeRejectFiles(file, joinedSets(storage, sets))
    if (flags.format === 'json') {
      const common = { command: 'state rejects export', exit_code: EXIT.done, state: storage.description } as const
      report.json<StateRejectsExportReport>({
        ...common,
        file: lines === 0 ? null : file,
        reasons: lines === 0 ? null : reasonsPath(file),
        lines,
        sets: sets.map(rejectSetReport),
      })
    } else if (lines === 0) report.verdict(true, 'nothing:', `${storage.description} holds no rejected lines`)
    else {
      const what = `${plural(lines, 'rejected line')} to ${file}, the reasons to ${reasonsPath(file)}`
      report.verdict(true, 'exported', what)
    }
    return EXIT.done
  })

export const runRejectsRemove: StateAction = (ids, flags, context) =>
  withState(requiredStateConfig(flags, context.env), context, async state => {
    const sets = await findRejects(state.storage, ids)
    await removeRejects(state, sets, 'removed by an operator')
    const { report } = context
    const { description } = state.storage
    if (flags.format === 'json') {
      const common = { command: 'state rejects rm', exit_code: EXIT.done, state: description } as const
      report.json<StateRejectsRemoveReport>({ ...common, sets: sets.map(rejectSetReport) })
    } else report.verdict(true, 'removed', `${count(countLines(sets))} rejected lines from ${description}`)
    return EXIT.done
  })

export function rejectSetReport({ id, at, partition, sources, rejected }: StoredRejects): RejectSetReport {
  return { id, at, commit: partition, sources, lines: rejected }
}

function countLines(sets: readonly StoredRejects[]): number {
  return sets.reduce((all, { rejected }) => all + rejected, 0)
}
