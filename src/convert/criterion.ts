/** Reads the folder that Criterion.rs writes, and the messages of cargo-criterion. Their times are nanoseconds. */

import { dirname, join } from 'node:path'
import { glob } from 'tinyglobby'
import { quote } from '../contract/problem.js'
import { IngestError } from '../errors.js'
import { fileSource } from '../source/source.js'
import type { Benchmark, ConvertInput, ToolFormat } from './benchmark.js'
import { parseToolJson, readToolJson, type JsonPlace } from './document.js'
import { divide, type Ratio } from './duration.js'
import { textLines } from './text-lines.js'

const WRITTEN_BY = 'cargo bench, which writes the folder target/criterion, or cargo criterion --message-format json'
const HINT = `convert reads what this command writes: ${WRITTEN_BY}`

export const CRITERION: ToolFormat = { writtenBy: WRITTEN_BY, read: readMessages, readFolder }

/** Reads the newest run of every benchmark in a folder. `base` and named baselines beside it are older runs. */
async function* readFolder(path: string): AsyncGenerator<Benchmark> {
  const files = await glob('**/new/benchmark.json', { cwd: path, dot: true })
  if (files.length === 0)
    throw new IngestError('no_input', `${path} holds no benchmarks of Criterion`, {
      hint: 'name the folder target/criterion',
    })
  for (const file of files.sort()) {
    const [benchmark, sample] = [
      await readJson(join(path, file)),
      await readJson(join(path, dirname(file), 'sample.json')),
    ]
    const name = benchmark.get('full_id').text()
    yield {
      name,
      ...partsOf(name, benchmark.get('group_id').text()),
      place: join(path, file),
      details: benchmark.scalars(),
      runtimes: perIteration(sample.get('times'), sample.get('iters')),
    }
  }
}

async function readJson(path: string): Promise<JsonPlace> {
  return readToolJson(path, await fileSource(path).open(), WRITTEN_BY)
}

async function* readMessages(input: ConvertInput): AsyncGenerator<Benchmark> {
  if (!/^\s*\{\s*"reason"/.test(input.head))
    throw new IngestError('bad_data', `${input.name} holds no messages of cargo-criterion`, { hint: HINT })
  let waiting: Ungrouped[] = []
  for await (const { text, line } of textLines(input)) {
    const message = parseToolJson(`${input.name}:${line}`, text === '' ? '{}' : text, HINT)
    const reason = message.find('reason')
    if (reason?.is('benchmark-complete') === true) waiting.push(readMessage(message, `${input.name}:${line}`))
    if (reason?.is('group-complete') !== true) continue
    const group = message.get('group_name').text()
    for (const benchmark of waiting) yield { ...benchmark, ...partsOf(benchmark.name, group) }
    waiting = []
  }
  const [cut] = waiting
  if (cut === undefined) return
  const message = `${input.name} ends before the message that completes the group of ${quote(cut.name)}`
  throw new IngestError('bad_data', message, { hint: 'run the benchmarks again: they were interrupted' })
}

/** The group of a benchmark is in a later message. */
type Ungrouped = Omit<Benchmark, 'group' | 'member'>

function readMessage(message: JsonPlace, place: string): Ungrouped {
  const unit = message.get('unit')
  if (!unit.is('ns')) throw unit.error(`is ${quote(unit.text())}, but records hold nanoseconds`)
  return {
    place,
    name: message.get('id').text(),
    details: message.scalars(),
    runtimes: perIteration(message.get('measured_values'), message.get('iteration_count')),
  }
}

/** A benchmark that is in no group has a group of its own name. */
function partsOf(name: string, group: string): Pick<Benchmark, 'group' | 'member'> {
  if (name === group) return { group: 'criterion', member: name }
  return { group, member: name.startsWith(`${group}/`) ? name.slice(group.length + 1) : name }
}

/** @param times the time of each run, which holds many iterations */
function perIteration(times: JsonPlace, iterations: JsonPlace): readonly Ratio[] {
  const counts = iterations.ratios()
  const all = times.ratios()
  if (all.length !== counts.length || counts.some(({ numerator }) => numerator === 0n))
    throw times.error('must have one time for each number of iterations')
  return all.map((time, index) => divide(time, counts[index]!))
}
