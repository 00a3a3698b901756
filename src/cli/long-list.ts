/** A list of any length in a log: what is beyond its first lines is folded away where the log can be folded. */

import type { Report } from './report.js'

const PLAIN_LINES = 10

export class LongList {
  #lines = 0

  constructor(
    private readonly report: Report,
    private readonly where: 'stdout' | 'stderr',
    private readonly title: string,
  ) {}

  /** Before each line. */
  next(): void {
    if (++this.#lines === PLAIN_LINES + 1) this.report.fold(this.where, this.title)
  }

  /** Before whatever comes after the list. */
  end(): void {
    if (this.#lines > PLAIN_LINES) this.report.unfold(this.where)
  }
}
