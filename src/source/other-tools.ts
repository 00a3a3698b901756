/** Recognises the output of other benchmark tools, as JSON or as text for people, by its beginning. */

/** The tools whose output is recognised. `from` names a tool on the command line. */
export const OTHER_TOOLS = [
  { from: 'jmh', name: 'JMH', output: /^\s*\[\s*\{\s*"jmhVersion"|^# JMH version:/ },
  {
    from: 'pytest-benchmark',
    name: 'pytest-benchmark',
    output: /^\s*\{\s*"machine_info"\s*:|^-+ benchmark.*: \d+ tests -+$/m,
  },
  {
    from: 'google-benchmark',
    name: 'Google Benchmark',
    output: /^\s*\{\s*"context"\s*:\s*\{[^]*"(?:mhz_per_cpu|library_build_type)"|^Benchmark +Time +CPU +Iterations/m,
  },
  {
    from: 'hyperfine',
    name: 'hyperfine',
    output: /^\s*\{\s*"results"\s*:\s*\[\s*\{\s*"command"\s*:|^Benchmark (?:#?\d+: .*\n\s+Time \(mean)/m,
  },
  {
    from: 'criterion',
    name: 'Criterion',
    output:
      /^\s*\{\s*"reason"\s*:\s*"(?:benchmark|group)-complete"|^\s*\{\s*"(?:mean|median|slope)"\s*:\s*\{\s*"confidence_interval"|^\s*\{\s*"(?:sampling_mode|group_id)"\s*:|^test .* \.\.\. bench: |^Benchmarking .*: |^\S.* time: +\[/m,
  },
  {
    from: 'go-bench',
    name: 'go test -bench',
    output: /^goos: |^Benchmark\S+\s+\d+\s+[\d.]+ ns\/op|^\{(?:"Time":"[^"]*",)?"Action":"[a-z]+","Package":/m,
  },
] as const satisfies readonly { readonly from: string; readonly name: string; readonly output: RegExp }[]

export type OtherTool = (typeof OTHER_TOOLS)[number]
export type OtherToolName = OtherTool['from']

/** @param head the beginning of a file as text */
export function recogniseTool(head: string): OtherTool | undefined {
  return OTHER_TOOLS.find(({ output }) => output.test(head))
}
