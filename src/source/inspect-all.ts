/** Validates the files of one command. `validate` and `push` both use it, so that they accept the same files. */

import { inspect, type Inspection, type InspectOptions } from './inspect.js'
import type { RecordBatch } from './record-batch.js'
import type { Source } from './source.js'

export type InspectAllOptions = Omit<InspectOptions, 'oneCommit' | 'linesBefore' | 'onBatch'> & {
  /** Called before a source is read. */
  readonly onRead?: ((source: Source) => void) | undefined
  /** Called with each batch. Some of its rows may still be rejected later. */
  readonly onBatch?: ((source: Source, batch: RecordBatch) => void) | undefined
}

/**
 * Validates every line of every source. All records must name one commit.
 * @returns one inspection per source, without the sources that were not read because `enough` returned true
 * @throws {IngestError} `wrong_format` for a file that holds something other than records, `bad_data` for a file without
 *   records if `requireRecords` is set
 */
export async function inspectAll(
  sources: readonly Source[],
  options: InspectAllOptions,
): Promise<readonly Inspection[]> {
  const { onRead, onBatch, ...others } = options
  const inspections: Inspection[] = []
  for (const source of sources) {
    if (options.enough?.() === true) break
    const commitSha = commonCommitSha(inspections, options)
    onRead?.(source)
    inspections.push(
      await inspect(source, {
        ...{ ...others, commitSha, oneCommit: true },
        onBatch: onBatch && (batch => onBatch(source, batch)),
      }),
    )
  }
  return inspections
}

/** The commit that all records name; undefined when there are no records and no commit was given. */
export function commonCommitSha(
  inspections: readonly Inspection[],
  { commitSha }: Pick<InspectAllOptions, 'commitSha'>,
): string | undefined {
  return commitSha ?? inspections.find(inspection => inspection.commitSha !== undefined)?.commitSha
}
