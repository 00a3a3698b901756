/** `state import`: restores a state that `state export` wrote into a new state. */

import { open } from 'node:fs/promises'
import { requiredStateConfig } from '../../../config/state.js'
import { EXIT, IngestError, messageOf } from '../../../errors.js'
import { fileReader } from '../../../source/byte-reader.js'
import { lineBlocks, LINE_LIMITS, type LineBlock } from '../../../source/lines.js'
import { importLines } from '../../../state/export-import.js'
import { plural } from '../../output/report.js'
import { type StateAction, withState } from './with-state.js'
import type { StateImportReport } from '../../../reports/state.js'

/** Line limits that allow for the longest line of an object with every byte escaped. */
const LIMITS = { ...LINE_LIMITS, maxLineBytes: 8 * LINE_LIMITS.maxLineBytes }

export const importState: StateAction = ([file = ''], flags, context) =>
  withState(requiredStateConfig(flags, context.env), context, async ({ storage }) => {
    const { report } = context
    const objects = await importLines(storage, () => linesOf(file, context.signal), file)
    if (flags.format === 'json')
      report.json<StateImportReport>({
        command: 'state import',
        exit_code: EXIT.done,
        state: storage.description,
        file,
        objects,
      })
    else report.verdict(true, 'imported', `${plural(objects, 'object')} from ${file} into ${storage.description}`)
    return EXIT.done
  })

async function* linesOf(file: string, signal: AbortSignal): AsyncGenerator<LineBlock> {
  const handle = await open(file).catch((cause: unknown) => {
    throw new IngestError('input_unreadable', `cannot read ${file}: ${messageOf(cause)}`, { cause })
  })
  for await (const block of lineBlocks(
    fileReader(handle, () => handle.close()),
    LIMITS,
  )) {
    signal.throwIfAborted()
    yield block
  }
}
