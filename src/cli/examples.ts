/** The last part of a command's help. */

/** @param lines a command line without the program's name, or one with a pipe as it is; and what it is for */
export function examples(lines: readonly (readonly [string, string])[]): string {
  const texts = lines.map(([text, what]) => {
    const line = text.includes('|') ? text : `vortex-ingest ${text}`
    return what === '' ? `  ${line}` : `  ${line}   # ${what}`
  })
  return `\nExamples:\n${texts.join('\n')}\n`
}
