/** Reads the JSON of pytest-benchmark. Its times are seconds of one iteration. */

import { isFullSha } from '../contract/commit.js'
import type { Benchmark, ConvertInput, ToolFormat } from './benchmark.js'
import { readToolJson, type JsonPlace } from './document.js'
import { multiply, NS_IN } from './duration.js'

const WRITTEN_BY = 'pytest --benchmark-json FILE, or --benchmark-save NAME --benchmark-save-data'

export const PYTEST_BENCHMARK: ToolFormat = { writtenBy: WRITTEN_BY, read }

async function* read({ name, reader }: ConvertInput): AsyncGenerator<Benchmark> {
  const document = await readToolJson(name, reader, WRITTEN_BY)
  const commit = document.find('commit_info')?.find('id')?.text()
  const commitSha = commit !== undefined && isFullSha(commit) ? commit : undefined
  for (const benchmark of document.get('benchmarks').elements()) yield { ...readOne(benchmark), commitSha }
}

function readOne(benchmark: JsonPlace): Benchmark {
  const fullName = benchmark.get('fullname').text()
  const [file = '', ...test] = fullName.split('::')
  const stats = benchmark.get('stats')
  return {
    place: benchmark.place,
    name: fullName,
    group: benchmark.find('group')?.text() ?? file,
    member: test.length === 0 ? fullName : test.join('::'),
    details: benchmark.scalars(),
    runtimes: (stats.find('data')?.ratios() ?? []).map(time => multiply(time, NS_IN['s']!)),
    median: multiply(stats.get('median').ratio(), NS_IN['s']!),
  }
}
