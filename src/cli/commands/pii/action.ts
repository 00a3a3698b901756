/** `pii scan`: reports where files and databases hold personal data. */

import { inSnapshot } from '../../../database/session.js'
import { EXIT, IngestError } from '../../../errors.js'
import { TextScanner, type FoundData } from '../../../pii/found-data.js'
import { scanDatabase } from '../../../pii/scan-database.js'
import { scanSource } from '../../../pii/scan-source.js'
import type { PiiScanReport } from '../../../reports/pii.js'
import { openInputs, releaseSources } from '../../../source/inputs.js'
import { namedKinds, type TargetFlags } from '../../../targets/kinds.js'
import { oneLine } from '../../../visible-text.js'
import type { Action, Context, Format } from '../../context.js'
import { openDatabase } from '../../options/target-world.js'
import { JsonArrayReport } from '../../output/json-array-report.js'
import { plural } from '../../output/report.js'

export type PiiScanFlags = TargetFlags & { readonly format: Format; readonly report?: string }

type Totals = { target: string | null; files: number; lines: number; found: number }

export const runPiiScan: Action<PiiScanFlags> = async (args, flags, context) => {
  const { report, reportFile } = context
  if (args.length === 0 && namedKinds(flags).length === 0)
    throw new IngestError('usage', 'missing files', { hint: 'name files, or a database with --postgres or --embedded' })
  const isJson = flags.format === 'json'
  const documents = [...(isJson ? [report] : []), ...(reportFile === undefined ? [] : [reportFile])].map(
    to => new JsonArrayReport<PiiScanReport, 'findings'>(to, 'findings'),
  )
  const totals: Totals = { target: null, files: 0, lines: 0, found: 0 }
  try {
    await scanAll({ args, flags, totals }, context, found => {
      totals.found++
      if (!isJson) report.finding(findingLine(found))
      for (const document of documents) document.element(findingReport(found))
    })
  } catch (error) {
    for (const document of documents) document.fail(error)
    throw error
  }
  const exitCode = totals.found === 0 ? EXIT.done : EXIT.mismatch
  if (!isJson) report.verdict(totals.found === 0, totals.found === 0 ? 'nothing found' : 'found', totalsText(totals))
  for (const document of documents) document.end({ command: 'pii scan', exit_code: exitCode, ...totals })
  return exitCode
}

type Scan = { readonly args: readonly string[]; readonly flags: TargetFlags; readonly totals: Totals }

async function scanAll(
  { args, flags, totals }: Scan,
  context: Context,
  onFound: (found: FoundData) => void,
): Promise<void> {
  const { stdin, signal, watch } = context
  const scanner = new TextScanner()
  const sources =
    args.length === 0 ? [] : await openInputs(args, { stdin, rereadable: false, signal, watch: watch?.reads })
  try {
    for (const source of sources) {
      totals.files++
      for await (const found of scanSource(source, scanner, lines => void (totals.lines += lines))) {
        signal.throwIfAborted()
        onFound(found)
      }
    }
  } finally {
    await releaseSources(sources)
  }
  if (namedKinds(flags).length === 0) return
  const { session, description, close } = await openDatabase(flags, false, context)
  totals.target = description
  try {
    await inSnapshot(session, async () => {
      for await (const found of scanDatabase(session, scanner)) {
        signal.throwIfAborted()
        onFound(found)
      }
    })
  } finally {
    await close()
  }
}

function findingLine({ place, field, rule, sample, isDimension }: FoundData): string {
  const where =
    'source' in place
      ? `${place.source}:${place.line}:${place.column}:${field === '' ? '' : ` ${field}`}`
      : `${place.table} ${place.id} ${field}${place.rows === 1 ? '' : ` in ${plural(place.rows, 'row')}`}:`
  return oneLine(`${where} ${rule} ${sample}${isDimension ? ', part of ids' : ''}`)
}

function findingReport({ place, isDimension, ...found }: FoundData): PiiScanReport['findings'][number] {
  const nowhere = { source: null, line: null, column: null, table: null, id: null, rows: 1 }
  return { ...nowhere, ...place, ...found, dimension: isDimension }
}

function totalsText({ target, files, lines, found }: Totals): string {
  const read = [
    ...(files === 0 ? [] : [`${plural(lines, 'line')} of ${plural(files, 'file')}`]),
    ...(target === null ? [] : [target]),
  ]
  return `${found === 0 ? '' : `${plural(found, 'piece')} of personal data `}in ${read.join(' and ')}`
}
