/** `help` in front of a command's name, for whoever does not think of `--help`. */

import type { Command } from 'commander'
import { IngestError } from '../errors.js'
import { nearest } from './nearest.js'
import { pathOf } from './program.js'

/**
 * `help targets add` and `targets help add` as `targets add --help`: commander's own `help` looks one level deep and ends
 * as a failure. Other command lines as they are.
 * @throws {IngestError} `usage` for a command that there is not
 */
export function withHelpAsked(argv: readonly string[], program: Command): readonly string[] {
  const [node = '', script = '', ...words] = argv
  const at = words.indexOf('help')
  if (at === -1 || !isGroup(program, words.slice(0, at))) return argv
  const names = words.filter(word => word !== 'help' && !word.startsWith('-'))
  return [node, script, ...pathTo(names, program), '--help']
}

/** Whether commands follow these names, so that `help` is none of the arguments. */
function isGroup(command: Command, [name, ...deeper]: readonly string[]): boolean {
  if (name === undefined) return command.commands.length > 0
  const found = command.commands.find(one => one.name() === name)
  return found !== undefined && isGroup(found, deeper)
}

/** As many of the names as are commands; what follows a command that has none below it is about something else. */
function pathTo([name, ...deeper]: readonly string[], command: Command): readonly string[] {
  if (name === undefined || command.commands.length === 0) return []
  const found = command.commands.find(one => one.name() === name)
  if (found !== undefined) return [name, ...pathTo(deeper, found)]
  const names = command.commands.map(one => one.name())
  const meant = nearest(name, names)
  const question = meant === undefined ? '' : ` (Did you mean ${meant}?)`
  throw new IngestError('usage', `unknown command '${name}'${question}`, {
    hint: `${pathOf(command)} --help shows the usage`,
  })
}
