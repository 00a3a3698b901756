/** Reads the JSON of Google Benchmark. Its real time is the time of one iteration, in a unit that each benchmark states. */

import { basename } from 'node:path'
import type { Benchmark, ConvertInput, ToolFormat } from './benchmark.js'
import { readToolJson, type JsonPlace } from './document.js'
import { multiply, NS_IN, type Ratio } from './duration.js'

const WRITTEN_BY = 'BENCHMARK --benchmark_out=FILE --benchmark_out_format=json'

export const GOOGLE_BENCHMARK: ToolFormat = { writtenBy: WRITTEN_BY, read }

type Entries = { readonly repetitions: JsonPlace[]; median?: JsonPlace }

async function* read({ name, reader, warn }: ConvertInput): AsyncGenerator<Benchmark> {
  const document = await readToolJson(name, reader, WRITTEN_BY)
  const group = basename(document.find('context')?.find('executable')?.text() ?? 'google-benchmark')
  for (const [run, { repetitions, median }] of entriesByName(document, warn)) {
    const first = repetitions[0] ?? median
    // The complexity of a family of benchmarks is an aggregate without a time of its own.
    if (first === undefined) continue
    const runtimes = repetitions.map(realTime)
    const details = first.scalars()
    yield {
      ...{ place: first.place, name: run, group, member: run, details, runtimes },
      median: median && realTime(median),
    }
  }
}

/** The repetitions of each benchmark, which may be interleaved, and the median if the tool printed aggregates. */
function entriesByName(document: JsonPlace, warn: ConvertInput['warn']): ReadonlyMap<string, Entries> {
  const entries = new Map<string, Entries>()
  for (const entry of document.get('benchmarks').elements()) {
    const name = (entry.find('run_name') ?? entry.get('name')).text()
    const problem = entry.find('error_message') ?? entry.find('skip_message')
    if (problem !== undefined || entry.find('error_occurred')?.is('true') === true) {
      warn(`${entry.place}: ${name} is left out, because it did not run: ${problem?.text() ?? 'an error'}`)
      continue
    }
    const known = entries.get(name) ?? { repetitions: [] }
    entries.set(name, known)
    if (entry.find('run_type')?.is('aggregate') !== true) known.repetitions.push(entry)
    else if (entry.find('aggregate_name')?.is('median') === true) known.median = entry
  }
  return entries
}

function realTime(entry: JsonPlace): Ratio {
  const unit = entry.get('time_unit').text()
  const factor = NS_IN[unit]
  if (factor === undefined) throw entry.error(`has the unknown time_unit ${unit}`)
  return multiply(entry.get('real_time').ratio(), factor)
}
