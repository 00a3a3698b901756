/** Reads the output of `go test -bench`, as text or with `-json`, line by line. */

import { quote } from '../contract/problem.js'
import { IngestError } from '../errors.js'
import type { Benchmark, ConvertInput, ToolFormat } from './benchmark.js'
import { parseToolJson } from './document.js'
import { multiply, NS_IN, parseDecimal, type Ratio } from './duration.js'
import { textLines } from './text-lines.js'

const WRITTEN_BY = 'go test -run NONE -bench . -count 10 ./...'
const HINT = `convert reads what this command writes: ${WRITTEN_BY}`

export const GO_BENCH: ToolFormat = { writtenBy: WRITTEN_BY, read }

/**
 * Runs of a benchmark are next to each other with `-count`, and apart where several outputs were joined. So benchmarks are held until
 * the end of the file, or until there are more benchmarks or runs than this.
 */
const HELD_BENCHMARKS = 10_000
const HELD_RUNS = 1_000_000

type Run = Benchmark & { readonly runtimes: Ratio[] }

async function* read(input: ConvertInput): AsyncGenerator<Benchmark> {
  const held = new Map<string, Run>()
  let runs = 0
  for await (const run of runsIn(input)) {
    const key = `${run.group}\0${run.name}`
    const known = held.get(key)
    known?.runtimes.push(...run.runtimes)
    runs += run.runtimes.length
    // Moves the benchmark to the end, because the one that was seen least recently is written first.
    held.delete(key)
    held.set(key, known ?? run)
    while (held.size > HELD_BENCHMARKS || runs > HELD_RUNS) {
      const [oldest, benchmark] = held.entries().next().value!
      held.delete(oldest)
      runs -= benchmark.runtimes.length
      yield benchmark
    }
  }
  yield* held.values()
}

/** The lines that describe what follows, such as `pkg: example.com/taxi`. */
type Setting = Map<string, string>

async function* runsIn(input: ConvertInput): AsyncGenerator<Run> {
  const settings = new Map<string, Setting>()
  for await (const { text, line, source } of printedLines(input)) {
    const setting = settings.get(source) ?? new Map<string, string>()
    settings.set(source, setting)
    const run = readLine(text, setting, { ...input, place: `${input.name}:${line}` })
    if (run !== undefined) yield run
  }
}

const RESULT = /^(Benchmark\S*)\s+\d+\s+([\d.]+ \S.*)$/
const SETTING = /^(goos|goarch|pkg|cpu): (.*)$/
/** The second part of a line that a benchmark's own output has torn. */
const NAMELESS = /^\s+\d+\s+[\d.]+ ns\/op/
const FAILED = /^\s*--- FAIL: |^FAIL\s+\S/

function readLine(
  text: string,
  setting: Setting,
  { place, warn }: { readonly place: string; readonly warn: ConvertInput['warn'] },
): Run | undefined {
  const [, key, value] = SETTING.exec(text) ?? []
  if (key !== undefined) setting.set(key, value ?? '')
  if (NAMELESS.test(text))
    warn(`${place}: a result is left out, because output of the benchmark stands in place of its name`)
  if (FAILED.test(text)) warn(`${place}: ${text.trim()}`)
  const [, name, measures] = RESULT.exec(text) ?? []
  if (name === undefined || measures === undefined) return undefined
  const details = new Map([...setting, ...measuresIn(measures)])
  const time = details.get('ns/op')
  const runtime = parseDecimal(time ?? '0')
  if (runtime === undefined)
    throw new IngestError('bad_data', `${place}: ${quote(time ?? '')} is no time`, { hint: HINT })
  const runtimes = time === undefined ? [] : [multiply(runtime, NS_IN['ns']!)]
  return { place, name, group: setting.get('pkg') ?? 'go', member: name, details, runtimes }
}

/** The measures of a result: `20 ns/op   8 B/op` are pairs of a number and a unit. */
function* measuresIn(text: string): Generator<readonly [unit: string, value: string]> {
  for (const [, value = '', unit = ''] of text.matchAll(/(\S+) (\S+)/g)) yield [unit, value]
}

type PrintedLine = {
  readonly text: string
  readonly line: number
  /** The package whose tests printed the line; empty in text. */
  readonly source: string
}

/** The printed lines of text, or of the events of `-json`, in which packages alternate and a line may be in several events. */
async function* printedLines(input: ConvertInput): AsyncGenerator<PrintedLine> {
  const isEvents = /^\s*\{/.test(input.head)
  const unfinished = new Map<string, string>()
  for await (const { text, line } of textLines(input)) {
    if (!isEvents || !text.startsWith('{')) {
      yield { text, line, source: '' }
      continue
    }
    const event = parseToolJson(`${input.name}:${line}`, text, HINT)
    if (event.find('Action')?.is('output') !== true) continue
    const source = event.find('Package')?.text() ?? ''
    const lines = ((unfinished.get(source) ?? '') + event.get('Output').text()).split('\n')
    unfinished.set(source, lines.pop() ?? '')
    for (const part of lines) yield { text: part, line, source }
  }
}
