/** Collects rejected lines and warnings about lines. */

import type { Rejection, Warning } from '../source/rejection.js'

/** The first rejections and warnings, and how many there were in total. */
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
