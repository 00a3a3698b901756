/** The interface of a benchmark and the context that it runs in. */

import type { Node } from './child.js'
import type { Result } from './report.js'

export type Context = {
  readonly runs: number
  /** Number of records of a full-sized input. */
  readonly rows: number
  /** Temporary folder, deleted when the benchmark ends. Other system users, such as that of a server, may read it. */
  readonly folder: string
  readonly node: Node
}

export type Benchmark = {
  readonly name: string
  /** Default number of runs of each side, unless --runs is given. */
  readonly runs: number
  readonly run: (context: Context) => Promise<Result>
}
