/** `state export`: writes a whole state into one file. */

import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { requiredStateConfig } from '../../../config/state.js'
import { EXIT, IngestError, messageOf, systemCodeOf } from '../../../errors.js'
import { exportLines } from '../../../state/export-import.js'
import { plural } from '../../output/report.js'
import { type StateAction, withState } from './with-state.js'
import type { StateExportReport } from '../../../reports/state.js'

export const exportState: StateAction = ([file = ''], flags, context) =>
  withState(requiredStateConfig(flags, context.env), context, async ({ storage }) => {
    const { report, signal } = context
    let lines = 0
    const counted = async function* (): AsyncGenerator<string> {
      for await (const line of exportLines(storage)) {
        lines++
        yield line
      }
    }
    await writeNew(file, counted(), signal)
    const objects = lines - 1
    if (flags.format === 'json')
      report.json<StateExportReport>({
        command: 'state export',
        exit_code: EXIT.done,
        state: storage.description,
        file,
        objects,
      })
    else report.verdict(true, 'exported', `${plural(objects, 'object')} of ${storage.description} to ${file}`)
    return EXIT.done
  })

/** Writes a new file. An incomplete file is deleted, except after an interruption. */
async function writeNew(file: string, lines: AsyncIterable<string>, signal: AbortSignal): Promise<void> {
  try {
    await pipeline(Readable.from(lines), createWriteStream(file, { flags: 'wx', flush: true }), { signal })
  } catch (cause) {
    signal.throwIfAborted()
    if (systemCodeOf(cause) === 'EEXIST')
      throw new IngestError('usage', `${file} is there already`, { cause, hint: 'name a new file' })
    await rm(file, { force: true }).catch(() => undefined)
    if (cause instanceof IngestError) throw cause
    throw new IngestError('storage_failed', `cannot write ${file}: ${messageOf(cause)}`, { cause })
  }
}
