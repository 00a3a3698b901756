/** Flags whose value may be left out, in front of a file. */

import type { Command } from 'commander'

/**
 * `--compress results.jsonl` as `--compress=always results.jsonl`: commander would take the file for the flag's value. Only
 * a word that is one of the flag's choices is its value.
 * @param commands all that may be typed
 */
export function withPresets(argv: readonly string[], commands: readonly Command[]): readonly string[] {
  const options = commands.flatMap(command => command.options).filter(option => option.presetArg !== undefined)
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length
  return argv.map((word, index) => {
    const option = index < end ? options.find(({ long }) => long === word) : undefined
    if (option === undefined || option.argChoices?.includes(argv[index + 1] ?? '') === true) return word
    return `${word}=${String(option.presetArg)}`
  })
}
