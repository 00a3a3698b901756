/** Closes the rejected lines of a state once their repaired file is enqueued. */

import { open } from 'node:fs/promises'
import { messageOf } from '../../errors.js'
import type { RejectReason } from '../../reports/records.js'
import { reasonsPath } from '../../source/rejection.js'
import { listRejects, removeRejects } from '../../state/rejects.js'
import type { NewLines } from '../../state/outbox.js'
import type { State } from '../../state/state.js'
import type { Emit } from '../events.js'

/**
 * Removes the sets of rejected lines that files are made of, according to `FILE.reasons.jsonl` beside each. A file must have at
 * least as many lines as were rejected. Failures become warnings, because the records are enqueued already.
 */
export async function closeRepaired(
  state: State,
  files: readonly Pick<NewLines, 'source' | 'linesBefore' | 'records'>[],
  emit: Emit,
): Promise<void> {
  for (const { source, linesBefore, records } of files) {
    try {
      const ids = await readSetIds(reasonsPath(source))
      const sets = ids.size === 0 ? [] : (await listRejects(state.storage)).filter(({ id }) => ids.has(id))
      const rejected = sets.reduce((all, one) => all + one.rejected, 0)
      const enqueued = linesBefore + records
      if (enqueued >= rejected) await removeRejects(state, sets, `repaired and pushed as ${source}`)
      else
        emit({
          type: 'warned',
          message: `${source} has ${enqueued} of ${rejected} rejected lines, so all of them stay in the state as rejected`,
        })
    } catch (error) {
      emit({ type: 'warned', message: `rejected lines stay listed in the state: ${messageOf(error)}` })
    }
  }
}

/** The ids in a file with reasons; none when there is no such file. */
async function readSetIds(path: string): Promise<ReadonlySet<string>> {
  const ids = new Set<string>()
  const file = await open(path).catch(() => undefined)
  if (file === undefined) return ids
  for await (const line of file.readLines()) ids.add(setOf(line))
  return ids
}

function setOf(line: string): string {
  try {
    return String((JSON.parse(line) as Partial<RejectReason> | null)?.set)
  } catch {
    // The file was not written by this program.
    return ''
  }
}
