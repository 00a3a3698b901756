/** `export`: writes stored records to files. */

import { timeAt } from '../../../config/option.js'
import { isFullSha } from '../../../contract/commit.js'
import { CONTRACT } from '../../../contract/kinds.js'
import { exportJsonLines, exportTables } from '../../../delivery/export/export-records.js'
import { exportedKinds, type ExportFilter, type RecordSource } from '../../../delivery/export/record-source.js'
import { EXIT, IngestError } from '../../../errors.js'
import type { TableFormat } from '../../../formats/table-encoder.js'
import { parseGroupSlug } from '../../../server/read/groups.js'
import type { TargetFlags } from '../../../targets/kinds.js'
import type { Action, Context } from '../../context.js'
import { plural } from '../../output/report.js'
import { openDestination, standardOutput, type Destination } from './destination.js'
import { assertOneSource, withSource } from './source.js'

export type ExportFlags = TargetFlags & {
  readonly fromArchive?: string
  readonly commit?: string
  readonly group?: string
  readonly since?: string
  readonly until?: string
  readonly kind?: string
  readonly format: 'jsonl' | TableFormat
  readonly output?: string
}

export const runExport: Action<ExportFlags> = async (_args, flags, context) => {
  const { output, format } = flags
  const filter = readFilter(flags, context)
  const isOneFile = format === 'jsonl' || exportedKinds(filter).length === 1
  if (output === undefined && !isOneFile)
    throw new IngestError('usage', `${format} has a file for each kind of record, which standard output cannot take`, {
      hint: 'name a folder with --output, or one kind with --kind',
    })
  assertOneSource(flags)
  await withSource(flags, { filter, context }, async (source, description) => {
    const to =
      output === undefined
        ? standardOutput(context.report)
        : await openDestination(output, { extension: format, isOneFile })
    try {
      const records = await exportTo(to, source, { format, filter, isOneFile, context })
      if (records === 0 && !(output === undefined && context.report.closed)) throw nothingError(filter, description)
      await to.publish()
      if (output !== undefined) context.report.verdict(true, 'exported', `${plural(records, 'record')} to ${output}`)
    } finally {
      await to.discard()
    }
  })
  return EXIT.done
}

type Exporting = {
  readonly format: ExportFlags['format']
  readonly filter: ExportFilter
  readonly isOneFile: boolean
  readonly context: Context
}

async function exportTo(to: Destination, source: RecordSource, exporting: Exporting): Promise<number> {
  const { format, filter, isOneFile, context } = exporting
  if (format !== 'jsonl')
    return exportTables(source, { format, kinds: exportedKinds(filter), withCommits: !isOneFile, create: to.create })
  const { records, isMixed } = await exportJsonLines(source, await to.create('records'))
  if (isMixed) {
    context.report.warning('the records are of several contract versions, so `push` takes them only as several files')
    context.report.hint('`vortex-ingest copy` delivers them as they are (docs/data.md)')
  }
  return records
}

/** @throws {IngestError} `usage` */
function readFilter({ commit, group: slug, since, until, kind }: ExportFlags, { now }: Context): ExportFilter {
  if (commit !== undefined && !isFullSha(commit))
    throw new IngestError('usage', `--commit ${commit} is not a full commit id`, { hint: 'git rev-parse prints it' })
  const group = slug === undefined ? undefined : parseGroupSlug(slug)
  if (slug !== undefined && group === undefined)
    throw new IngestError('usage', `--group ${slug} is not the name of a group`, {
      hint: 'the address of a chart has it, and GET /api/groups, such as query_measurement.tpch.~.10.nvme',
    })
  if (kind !== undefined && group !== undefined && group.kind.kind !== kind)
    throw new IngestError('usage', `--group ${slug} has no records of the kind ${kind}`, { hint: 'leave --kind out' })
  const time = (text: string | undefined): string | undefined => (text === undefined ? undefined : timeAt(text, now()))
  const kinds = kind === undefined ? undefined : CONTRACT.kinds.filter(one => one.kind === kind)
  return { commit, group, since: time(since), until: time(until), kinds }
}

/** An export without records is an error, because the location or the filter is probably wrong. */
function nothingError({ commit, group, since, until, kinds }: ExportFilter, description: string): IngestError {
  const isFiltered = [group, since, until, kinds].some(value => value !== undefined)
  const which = `${commit === undefined ? '' : ` of ${commit}`}${isFiltered ? ' that the flags choose' : ''}`
  return new IngestError('no_input', `there are no records${which} in ${description}`, {
    hint: 'check the place and the flags that choose records',
  })
}
