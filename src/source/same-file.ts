/** Whether two paths lead to one file, also through links. */

import { statSync } from 'node:fs'

export function isSameFile(one: string, other: string): boolean {
  try {
    const [first, second] = [one, other].map(path => statSync(path, { bigint: true }))
    return first?.ino === second?.ino && first?.dev === second?.dev
  } catch {
    // One of the paths does not exist, is a pattern, or stands for standard input.
    return false
  }
}
