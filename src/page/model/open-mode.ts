/** Open modes of random access: the file stayed open (hot) or was opened each time (cold). Each has a line of its own. */

const WORDS: Readonly<Record<string, string>> = { cached: 'hot', reopen: 'cold' }
const HOT = 'cached'

/** Suffix of a line's id. Hot lines have none, so that links from the time before cold lines still work. */
export function openModeId(mode: string): string {
  return mode === '' || mode === HOT ? '' : ` · ${WORDS[mode] ?? mode}`
}

/**
 * Suffix of a line's name, such as ` (cold)`. Empty when all lines of the group are hot, because there is nothing to
 * distinguish.
 * @param all the modes of the group
 */
export function openModeName(mode: string, all: ReadonlySet<string>): string {
  return mode === '' || [...all].every(other => other === HOT) ? '' : ` (${WORDS[mode] ?? mode})`
}
