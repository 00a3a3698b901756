/** The examples at the end of a command's help. */

/** @param lines pairs of a command line and its purpose. A line without a pipe is prefixed with the program's name. */
export function examples(lines: readonly (readonly [string, string])[]): string {
  const texts = lines.map(([text, what]) => {
    const line = text.includes('|') ? text : `vortex-ingest ${text}`
    return what === '' ? `  ${line}` : `  ${line}   # ${what}`
  })
  return `\nExamples:\n${texts.join('\n')}\n`
}
