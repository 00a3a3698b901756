/** What every benchmark is given and what it is. */

import type { Node } from './child.js'
import type { Result } from './report.js'

export type Context = {
  readonly runs: number
  /** Records of a full-sized input. */
  readonly rows: number
  /** Gone when the benchmark ends; other users, such as a server's, may read it. */
  readonly folder: string
  readonly node: Node
}

export type Benchmark = {
  readonly name: string
  /** Runs of each side unless --runs says otherwise. */
  readonly runs: number
  readonly run: (context: Context) => Promise<Result>
}
