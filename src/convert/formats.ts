/** The list of formats that `convert` reads. */

import type { OtherToolName } from '../source/other-tools.js'
import type { ToolFormat } from './benchmark.js'

/** A format is loaded when a file of it is read. */
export const TOOL_FORMATS: Readonly<Record<OtherToolName, () => Promise<ToolFormat>>> = {
  criterion: async () => (await import('./criterion.js')).CRITERION,
  'google-benchmark': async () => (await import('./google-benchmark.js')).GOOGLE_BENCHMARK,
  'pytest-benchmark': async () => (await import('./pytest-benchmark.js')).PYTEST_BENCHMARK,
  hyperfine: async () => (await import('./hyperfine.js')).HYPERFINE,
  jmh: async () => (await import('./jmh.js')).JMH,
  'go-bench': async () => (await import('./go-bench.js')).GO_BENCH,
}
