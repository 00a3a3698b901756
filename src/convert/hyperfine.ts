/** Reads the JSON of hyperfine. Its times are seconds. */

import type { Benchmark, ConvertInput, ToolFormat } from './benchmark.js'
import { readToolJson, type JsonPlace } from './document.js'
import { multiply, NS_IN } from './duration.js'

const WRITTEN_BY = 'hyperfine --export-json FILE COMMAND'

export const HYPERFINE: ToolFormat = { writtenBy: WRITTEN_BY, read }

async function* read({ name, reader, warn }: ConvertInput): AsyncGenerator<Benchmark> {
  const document = await readToolJson(name, reader, WRITTEN_BY)
  for (const result of document.get('results').elements()) {
    warnOfFailures(result, warn)
    yield {
      place: result.place,
      name: result.get('command').text(),
      group: 'hyperfine',
      member: result.get('command').text(),
      details: result.scalars(),
      runtimes: (result.find('times')?.ratios() ?? []).map(time => multiply(time, NS_IN['s']!)),
      median: multiply(result.get('median').ratio(), NS_IN['s']!),
    }
  }
}

/** With `--ignore-failure`, hyperfine also times commands that fail. A command that a signal ended has the exit code null. */
function warnOfFailures(result: JsonPlace, warn: ConvertInput['warn']): void {
  const failed =
    result
      .find('exit_codes')
      ?.elements()
      .filter(code => !code.is('0')).length ?? 0
  if (failed > 0) warn(`${result.place}: ${failed} of the timed runs failed`)
}
