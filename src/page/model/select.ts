/** Which lines are in sight. */

import type { Line } from './line.js'

/** Whether a name has all words, and none of those that start with `-`. */
export function matches(name: string, find: string): boolean {
  const text = name.toLowerCase()
  return find
    .toLowerCase()
    .split(/\s+/)
    .filter(word => word !== '' && word !== '-')
    .every(word => (word.startsWith('-') ? !text.includes(word.slice(1)) : text.includes(word)))
}

/** Those that are listed; those of them that are hidden are not drawn. */
export function found<L extends Pick<Line, 'name'>>(lines: readonly L[], find: string): readonly L[] {
  return lines.filter(({ name }) => matches(name, find))
}
