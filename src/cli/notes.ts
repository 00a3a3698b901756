/** Rejections and warnings on their way to a report. */

import type { Rejection, Warning } from '../source/rejection.js'

/** What a report shows of rejections and warnings: the first ones and how many there were. */
export class Notes {
  static readonly SHOWN = 20
  readonly rejections: Rejection[] = []
  readonly warnings: Warning[] = []
  rejected = 0
  readonly rejectedSources = new Set<string>()
  warned = 0

  reject(rejection: Rejection): void {
    this.rejectedSources.add(rejection.source)
    if (this.rejected++ < Notes.SHOWN) this.rejections.push(rejection)
  }

  warn(warning: Warning): void {
    if (this.warned++ < Notes.SHOWN) this.warnings.push(warning)
  }
}
