/** Selects lines by search words. */

import type { Line } from './line.js'

/** Whether a name contains all words, and none of the words that start with `-`. */
export function matches(name: string, find: string): boolean {
  const text = name.toLowerCase()
  return find
    .toLowerCase()
    .split(/\s+/)
    .filter(word => word !== '' && word !== '-')
    .every(word => (word.startsWith('-') ? !text.includes(word.slice(1)) : text.includes(word)))
}

/** The lines that match. They include hidden lines, which are listed but not drawn. */
export function found<L extends Pick<Line, 'name'>>(lines: readonly L[], find: string): readonly L[] {
  return lines.filter(({ name }) => matches(name, find))
}
