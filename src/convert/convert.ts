/** Converts the output of other benchmark tools to records. */

import { stat } from 'node:fs/promises'
import { isExactObject, type ExactValue } from '../contract/exact-value.js'
import type { Hash64 } from '../contract/hash64.js'
import { measurementId } from '../contract/measurement-id.js'
import { quote } from '../contract/problem.js'
import type { BenchRecord } from '../contract/validate.js'
import { IngestError } from '../errors.js'
import { readBeginning, replay } from '../source/byte-reader.js'
import { IdTable } from '../source/id-table.js'
import { openInputs, releaseSources, type InputOptions } from '../source/inputs.js'
import { OTHER_TOOLS, recogniseTool, type OtherTool, type OtherToolName } from '../source/other-tools.js'
import type { Source } from '../source/source.js'
import type { Benchmark, ToolFormat } from './benchmark.js'
import { TOOL_FORMATS } from './formats.js'
import { defaultMap, readMap, type MapRule } from './map.js'
import { makeRecord } from './record.js'

export type ConvertOptions = Omit<InputOptions, 'rereadable'> & {
  /** The tool that wrote the files. Default: it is recognised by the beginning of each file. */
  readonly from?: OtherToolName | undefined
  /** The file of the map. Default: the names become `dataset` and `format` of a `random_access_time`. */
  readonly map?: string | undefined
  /** Returns the commit of the records. @param stated the commit that the tool states */
  readonly commitSha: (stated: string | undefined) => Promise<string>
  readonly hash: Hash64
  readonly warn: (message: string) => void
}

/** A record as JSON.stringify writes it. */
export type PlainRecord = Readonly<Record<string, unknown>>

/** Number of bytes at the start of a file by which the tool is recognised. */
const HEAD_BYTES = 16 * 1024

/**
 * Yields a record for each benchmark in the files.
 * @param files file names, globs, folders of Criterion, or `-` for standard input. When empty, standard input is read
 * @throws {IngestError} `bad_data` when a benchmark cannot become a valid record, or two become the same
 */
export async function* convert(files: readonly string[], options: ConvertOptions): AsyncGenerator<PlainRecord> {
  const map = options.map === undefined ? defaultMap() : await readMap(options.map)
  const recorder = new Recorder(map, options)
  for (const file of files.length === 0 ? [undefined] : files)
    for await (const { tool, benchmark } of benchmarksIn(file, options)) {
      const record = await recorder.record(benchmark, tool)
      if (record !== undefined) yield plain(record.fields) as PlainRecord
    }
  recorder.finish()
}

type Found = { readonly tool: OtherTool; readonly benchmark: Benchmark }

async function* benchmarksIn(file: string | undefined, options: ConvertOptions): AsyncGenerator<Found> {
  if (file !== undefined && (await isFolder(file))) {
    yield* inFolder(file, options)
    return
  }
  const sources = await openInputs(file === undefined ? [] : [file], { ...options, rereadable: false })
  try {
    for (const source of sources) yield* inSource(source, options)
  } finally {
    await releaseSources(sources)
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (
    path !== '-' &&
    (await stat(path).then(
      info => info.isDirectory(),
      () => false,
    ))
  )
}

/** Only Criterion writes a folder. */
async function* inFolder(path: string, { from = 'criterion' }: ConvertOptions): AsyncGenerator<Found> {
  const tool = toolNamed(from)
  const { readFolder } = await TOOL_FORMATS[from]()
  if (readFolder === undefined)
    throw new IngestError('no_input', `${path} is a folder, but ${tool.name} writes files`, {
      hint: `name them: '${path.replace(/\/$/, '')}/*'`,
    })
  for await (const benchmark of readFolder(path)) yield { tool, benchmark }
}

async function* inSource(source: Source, { from, warn }: ConvertOptions): AsyncGenerator<Found> {
  const { name } = source
  const reader = await source.open()
  try {
    const start = await readBeginning(reader, HEAD_BYTES)
    const head = start.toString('utf8')
    const tool = chooseTool(name, head, from)
    const format = await TOOL_FORMATS[tool.from]()
    let isEmpty = true
    for await (const benchmark of format.read({ name, head, reader: replay(start, reader), warn })) {
      isEmpty = false
      yield { tool, benchmark }
    }
    if (isEmpty) throw noResults(name, tool, format)
  } finally {
    await reader.close()
  }
}

function noResults(name: string, tool: OtherTool, { writtenBy }: ToolFormat): IngestError {
  const hint = `convert reads what this command writes: ${writtenBy}`
  return new IngestError('no_input', `${name} holds no results of ${tool.name}`, { hint })
}

/** @throws {IngestError} `wrong_format` when the file is the output of another tool, or of none that is known */
function chooseTool(name: string, head: string, from: OtherToolName | undefined): OtherTool {
  const found = recogniseTool(head)
  if (from === undefined && found === undefined) {
    const hint = `name the tool that wrote it: --from ${OTHER_TOOLS.map(tool => tool.from).join('|')}`
    throw new IngestError('wrong_format', `${name} is not recognised as the output of a benchmark tool`, { hint })
  }
  const tool = from === undefined ? found! : toolNamed(from)
  if (found === undefined || found === tool) return tool
  throw new IngestError('wrong_format', `${name} holds the output of ${found.name}, not of ${tool.name}`, {
    hint: `convert it with --from ${found.from}`,
  })
}

function toolNamed(from: OtherToolName): OtherTool {
  return OTHER_TOOLS.find(tool => tool.from === from)!
}

/** Makes records, finds those that would overwrite each other, and counts those that rounding has changed. */
class Recorder {
  readonly #ids = new IdTable()
  readonly #coarse = { count: 0, first: '' }

  constructor(
    private readonly map: readonly MapRule[],
    private readonly options: ConvertOptions,
  ) {}

  async record(benchmark: Benchmark, tool: OtherTool): Promise<BenchRecord | undefined> {
    const commitSha = await this.options.commitSha(benchmark.commitSha)
    const made = makeRecord(benchmark, this.map, { tool: tool.from, commitSha })
    if (made === undefined) return undefined
    this.#assertNew(made.record, benchmark)
    if (made.isCoarse && this.#coarse.count++ === 0) this.#coarse.first = benchmark.name
    return made.record
  }

  #assertNew({ kind, fields }: BenchRecord, { place, name }: Benchmark): void {
    const ids = BigInt64Array.of(measurementId(kind, fields, this.options.hash))
    this.#ids.putAll(ids, Uint32Array.of(this.#ids.size + 1), (_, before) => {
      const hint = 'give each dimensions of its own with --map FILE (docs/data.md)'
      const message = `${place}: ${quote(name)} has the same dimensions as record ${before}, which it would overwrite`
      throw new IngestError('bad_data', message, { hint })
    })
  }

  finish(): void {
    const { count, first } = this.#coarse
    if (count === 0) return
    const which = count === 1 ? quote(first) : `${count} benchmarks, such as ${quote(first)},`
    this.options.warn(
      `whole nanoseconds are coarse for ${which} because an iteration takes less than 100 ns; ` +
        'per = 1000 in a map writes the time of 1,000 iterations',
    )
  }
}

/** The record with whole numbers as JavaScript numbers, which `makeRecord` has found to be exact. */
function plain(value: ExactValue): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return (value as readonly ExactValue[]).map(plain)
  if (!isExactObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]))
}
