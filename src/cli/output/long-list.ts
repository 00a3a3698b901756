/** A list of any length in a log. The lines after the first ten are folded if the CI service can fold its log. */

import type { Report } from './report.js'

const PLAIN_LINES = 10

export class LongList {
  #lines = 0

  constructor(
    private readonly report: Report,
    private readonly where: 'stdout' | 'stderr',
    private readonly title: string,
  ) {}

  /** Called before each line. */
  next(): void {
    if (++this.#lines === PLAIN_LINES + 1) this.report.fold(this.where, this.title)
  }

  /** Called after the last line. */
  end(): void {
    if (this.#lines > PLAIN_LINES) this.report.unfold(this.where)
  }
}
