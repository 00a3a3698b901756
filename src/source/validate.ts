/** `validate`: checks every line of files and sends nothing. */

import { wasmHash64 } from '../contract/hash64.js'
import { createIdentifier } from './identify.js'
import { openSources, type InputOptions } from './inputs.js'
import { contractVersionOf, type Inspection } from './inspect.js'
import { inspectAll } from './inspect-all.js'
import type { Rejection, Warning } from './rejection.js'
import type { RejectCollector, SavedRejects } from './rejects.js'
import type { Source } from './source.js'
import type { SplitFiles } from './split-files.js'

export type ValidateOptions = {
  /** The commit id that every record must name. Default: the first full commit id of the files. */
  readonly commitSha?: string | undefined
  /** The only contract version whose shapes are accepted. Default: the lowest one that fits all records of a file. */
  readonly contractVersion?: number | undefined
  /** Makes a file without records an error. Default: a warning. */
  readonly requireRecords?: boolean | undefined
  /** Files that the accepted and the rejected lines are written to. */
  readonly split?: SplitFiles | undefined
  /** Stops after this number of rejected lines. Default: no limit. */
  readonly maxRejections?: number | undefined
  /** Called with each rejected line, in order within a file. */
  readonly onRejection?: ((rejection: Rejection) => void) | undefined
  /** Called with each warning, in order within a file. */
  readonly onWarning?: ((warning: Warning) => void) | undefined
  /** Stops the check. Its reason becomes the error. */
  readonly signal?: AbortSignal | undefined
  /** The stream that `-` names. Default: standard input. */
  readonly stdin?: InputOptions['stdin'] | undefined
  /** Observes the reading of the files. */
  readonly watch?: InputOptions['watch']
}

export type ValidatedFile = {
  /** The name as it was given, or `-` for standard input. */
  readonly source: string
  readonly lines: number
  /** Number of valid records. */
  readonly records: number
  /** Number of rejected lines. */
  readonly rejected: number
  /** The contract version that fits all records; undefined for a file without records. */
  readonly contractVersion: number | undefined
}

export type ValidateResult = {
  /** Whether no line was rejected. */
  readonly isValid: boolean
  /** Whether the check stopped at `maxRejections`. */
  readonly stoppedEarly: boolean
  readonly lines: number
  /** Number of valid records. */
  readonly records: number
  /** Number of rejected lines, at most `maxRejections`. */
  readonly rejected: number
  /** Number of warnings. */
  readonly warned: number
  /** Number of valid records by kind name. */
  readonly kinds: ReadonlyMap<string, number>
  /** The contract versions of the files that have records, the lowest first. */
  readonly contractVersions: readonly number[]
  readonly files: readonly ValidatedFile[]
  /** With `split`: where the rejected lines are; undefined when there are none. */
  readonly rejects: SavedRejects | undefined
  /** The first 1,000 rejected lines. */
  readonly rejections: readonly Rejection[]
  /** The first 1,000 warnings. */
  readonly warnings: readonly Warning[]
}

/** Maximum number of listed rejections and of listed warnings, so that memory stays flat. */
const MAX_LISTED = 1_000

/**
 * Checks every line of the files. Needs no network, no target and no git.
 * @param files file names, globs, `-` for standard input, or sources; plain, gzip or zstd
 * @returns rejected lines are part of the result and are not thrown
 * @throws {IngestError} `no_input`, `input_unreadable`, `input_corrupt` for a file that cannot be read; `wrong_format` for a file
 *   of another kind; `bad_data` for a file without records if `requireRecords` is set
 */
export async function validate(
  files: readonly (string | Source)[],
  options: ValidateOptions = {},
): Promise<ValidateResult> {
  const { signal, watch, stdin = process.stdin } = options
  const { sources, release } = await openSources(files, {
    ...{ stdin, watch, rereadable: 'maybe' },
    ...(signal && { signal }),
  })
  const collector = options.split && new (await import('./rejects.js')).RejectCollector()
  try {
    if (options.split !== undefined) (await import('./split-files.js')).assertSplitFits(options.split, sources)
    return await validateSources(sources, { ...options, collector })
  } finally {
    collector?.close()
    await release()
  }
}

type Validating = ValidateOptions & {
  /** Receives the rejections. Present with `split`. */
  readonly collector: RejectCollector | undefined
}

async function validateSources(sources: readonly Source[], options: Validating): Promise<ValidateResult> {
  const { commitSha, contractVersion, requireRecords, maxRejections = Infinity, signal } = options
  const { onRejection, onWarning, split, collector } = options
  const rejections: Rejection[] = []
  const warnings: Warning[] = []
  let rejected = 0
  let warned = 0
  const enough = (): boolean => rejected >= maxRejections
  const inspections = await inspectAll(sources, {
    ...{ commitSha, contractVersion, requireRecords, enough, signal },
    identify: createIdentifier(await wasmHash64()),
    onRejection: rejection => {
      collector?.note(rejection)
      // Lines are checked in whole blocks, so rejections can follow after the limit is reached.
      if (!enough()) onRejection?.(rejection)
      if (rejected++ < Math.min(maxRejections, MAX_LISTED)) rejections.push(rejection)
    },
    onWarning: warning => {
      onWarning?.(warning)
      if (warned++ < MAX_LISTED) warnings.push(warning)
    },
  })
  const rejects = split && collector && (await (await import('./split-files.js')).writeSplit(split, sources, collector))
  return {
    ...{ isValid: rejected === 0, stoppedEarly: enough() },
    ...{ rejected: Math.min(rejected, maxRejections), warned, rejections, warnings, rejects },
    ...summarize(inspections),
  }
}

function summarize(
  inspections: readonly Inspection[],
): Pick<ValidateResult, 'lines' | 'records' | 'kinds' | 'contractVersions' | 'files'> {
  const kinds = new Map<string, number>()
  for (const { counts } of inspections)
    for (const [kind, records] of counts) kinds.set(kind, (kinds.get(kind) ?? 0) + records)
  const files = inspections.map(summarizeFile)
  const versions = new Set(files.flatMap(({ contractVersion }) => contractVersion ?? []))
  return {
    lines: files.reduce((all, { lines }) => all + lines, 0),
    records: files.reduce((all, { records }) => all + records, 0),
    ...{ kinds, files, contractVersions: [...versions].sort((a, b) => a - b) },
  }
}

function summarizeFile(inspection: Inspection): ValidatedFile {
  const { source, lines, records, rejected } = inspection
  return { source, lines, records, rejected, contractVersion: contractVersionOf(inspection) }
}
