/** `id`: prints the measurement_id of every record, in input order. */

import { once } from 'node:events'
import { pinnedVersion, type ContractFlags } from '../../../config/contract.js'
import { wasmHash64 } from '../../../contract/hash64.js'
import { EXIT } from '../../../errors.js'
import { createIdentifier } from '../../../source/identify.js'
import { openInputs, releaseSources } from '../../../source/inputs.js'
import { lineBlocks } from '../../../source/lines.js'
import { readRecords, type Records } from '../../../source/records.js'
import type { Source } from '../../../source/source.js'
import type { Action, Context, Format } from '../../context.js'
import type { IdLine } from '../../../reports/records.js'

export type IdFlags = ContractFlags & { readonly format: Format }

export const runId: Action<IdFlags> = async (args, { format, ...flags }, context) => {
  const { report, signal, stdin, watch } = context
  const sources = await openInputs(args, { stdin, rereadable: false, signal, watch: watch?.reads })
  const identify = createIdentifier(await wasmHash64())
  const print = format === 'json' ? await jsonPrinter(context) : textPrinter(context)
  const version = pinnedVersion(flags)
  let rejected = 0
  try {
    for (const source of sources)
      for await (const records of readRecords(lineBlocks(await source.open()), { source: source.name, version })) {
        signal.throwIfAborted()
        // The reader closed the pipe, as in `id … | head -1`: not an error.
        if (report.closed) return EXIT.done
        identify(records.batch)
        await print(source, records)
        rejected += records.rejections.length
      }
  } finally {
    await releaseSources(sources)
  }
  return rejected > 0 ? EXIT.badData : EXIT.done
}

type Print = (source: Source, records: Records) => Promise<void>

/** Prints one id per line. A rejected record prints an empty line, so that output and input lines correspond. */
function textPrinter({ report }: Context): Print {
  return async (_source, { batch, rejections }) => {
    const lines: string[] = []
    let next = 0
    for (let row = 0; row <= batch.count; row++) {
      const line = row === batch.count ? Infinity : batch.lines[row]!
      for (; next < rejections.length && rejections[next]!.line < line; next++) {
        report.rejection(rejections[next]!)
        lines.push('')
      }
      if (row < batch.count) lines.push(batch.ids[row]!.toString())
    }
    if (lines.length > 0) report.finding(lines.join('\n'))
  }
}

async function jsonPrinter({ report }: Context): Promise<Print> {
  const { default: ndjson } = await import('ndjson')
  const lines = ndjson.stringify()
  lines.on('data', (text: string | Buffer) => report.raw(text.toString()))
  return async ({ name }, { batch, rejections }) => {
    for (const rejection of rejections) report.rejection(rejection)
    for (let row = 0; row < batch.count; row++) {
      const measurement_id = batch.ids[row]!.toString()
      const value: IdLine = { source: name, line: batch.lines[row]!, kind: batch.kindOf(row).kind, measurement_id }
      if (!lines.write(value)) await once(lines, 'drain')
    }
  }
}
