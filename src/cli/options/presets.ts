/** Lets a flag with an optional value stand before a file name. */

import type { Command } from 'commander'

/**
 * Rewrites `--compress results.jsonl` to `--compress=always results.jsonl`, because commander would take the file for the
 * flag's value. The next word is the value only if it is one of the flag's choices.
 * @param commands the commands whose flags may occur
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
