/** Reads the JSON of JMH. */

import { quote } from '../contract/problem.js'
import type { Benchmark, ConvertInput, ToolFormat } from './benchmark.js'
import { readToolJson, type JsonPlace } from './document.js'
import { divide, multiply, NS_IN, type Ratio } from './duration.js'

const WRITTEN_BY = 'java -jar benchmarks.jar -rf json -rff FILE'

export const JMH: ToolFormat = { writtenBy: WRITTEN_BY, read }

async function* read({ name, reader }: ConvertInput): AsyncGenerator<Benchmark> {
  const document = await readToolJson(name, reader, WRITTEN_BY)
  for (const result of document.elements()) {
    const method = result.get('benchmark').text()
    const params = [...(result.find('params')?.scalars() ?? [])].map(([key, value]) => ` ${key}=${value}`).join('')
    const dot = method.lastIndexOf('.')
    yield {
      place: result.place,
      name: method + params,
      group: dot === -1 ? 'jmh' : method.slice(0, dot),
      member: method.slice(dot + 1) + params,
      details: result.scalars(),
      runtimes: runtimesOf(result.get('primaryMetric')),
    }
  }
}

/** One runtime for each iteration of each fork. */
function runtimesOf(metric: JsonPlace): readonly Ratio[] {
  const toTime = timeOf(metric.get('scoreUnit'))
  const forks = metric.find('rawData')?.elements()
  if (forks !== undefined) return forks.flatMap(fork => fork.elements().map(score => toTime(score)))
  const samples = metric
    .get('rawDataHistogram')
    .elements()
    .flatMap(fork => fork.elements())
  return samples.map(iteration => toTime(medianSample(iteration)))
}

/** The time of one operation from a score, which is a time, or a throughput and then its reciprocal. */
function timeOf(unit: JsonPlace): (score: JsonPlace) => Ratio {
  const [, rateUnit, timeUnit] = /^ops\/(\w+)$|^(\w+)\/op$/.exec(unit.text()) ?? []
  const factor = NS_IN[rateUnit ?? timeUnit ?? '']
  if (factor === undefined) throw unit.error(`is ${quote(unit.text())}, which is neither a time nor a throughput`)
  if (timeUnit !== undefined) return score => multiply(score.ratio(), factor)
  return score => {
    const rate = score.ratio()
    if (rate.numerator === 0n) throw score.error('is a throughput of 0, which has no time')
    return divide({ numerator: factor, denominator: 1n }, rate)
  }
}

/** The median of a histogram: pairs of a time and the number of its samples, in ascending order of the times. */
function medianSample(histogram: JsonPlace): JsonPlace {
  const pairs = histogram.elements().map(pair => pair.elements())
  const counts = pairs.map(([, count]) => Number(count?.ratio().numerator ?? 0n))
  let left = counts.reduce((sum, count) => sum + count, 0) / 2
  const [time] = pairs[counts.findIndex(count => (left -= count) <= 0)] ?? []
  if (time === undefined) throw histogram.error('holds no samples')
  return time
}
