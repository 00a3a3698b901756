/** Open modes of random access: the file stayed open (hot) or was opened each time (cold). Each has a line of its own. */

const WORDS: Readonly<Record<string, string>> = { cached: 'hot', reopen: 'cold' }
const HOT = 'cached'

/** The end of a line's id. Hot lines have none, so that links from before contract version 3 still work. */
export function openModeId(mode: string): string {
  return mode === '' || mode === HOT ? '' : ` · ${WORDS[mode] ?? mode}`
}

/**
 * The end of a line's name, such as ` (cold)`. Empty when all lines of the suite are hot.
 * @param all the modes of the suite
 */
export function openModeName(mode: string, all: ReadonlySet<string>): string {
  return mode === '' || [...all].every(other => other === HOT) ? '' : ` (${WORDS[mode] ?? mode})`
}
