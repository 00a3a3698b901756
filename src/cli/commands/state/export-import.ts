/** `state export` writes a whole state into one file. `state import` restores it into a new state. */

import { createWriteStream } from 'node:fs'
import { rm, open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { requiredStateConfig } from '../../../config/state.js'
import { EXIT, IngestError, messageOf, systemCodeOf } from '../../../errors.js'
import { exportLines, importLines } from '../../../state/export-import.js'
import { plural } from '../../output/report.js'
import { type StateAction, withState } from './with-state.js'
import type { StateExportReport, StateImportReport } from '../../../reports/state.js'
import { fileReader } from '../../../source/byte-reader.js'
import { lineBlocks, LINE_LIMITS, type LineBlock } from '../../../source/lines.js'

export const runStateExport: StateAction = ([file = ''], flags, context) =>
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
      throw new IngestError('usage', `${file} already exists`, { cause, hint: 'name a new file' })
    await rm(file, { force: true }).catch(() => undefined)
    if (cause instanceof IngestError) throw cause
    throw new IngestError('storage_failed', `cannot write ${file}: ${messageOf(cause)}`, { cause })
  }
}

/** Line limits that allow for the longest line of an object with every byte escaped. */
const LIMITS = { ...LINE_LIMITS, maxLineBytes: 8 * LINE_LIMITS.maxLineBytes }

export const runStateImport: StateAction = ([file = ''], flags, context) =>
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
