/** Supports `help` before a command's name as an alternative to `--help`. */

import type { Command } from 'commander'
import { IngestError } from '../../errors.js'
import { nearest } from './nearest.js'
import { pathOf } from '../program.js'

/**
 * Rewrites `help targets add` and `targets help add` to `targets add --help`. Other command lines are returned unchanged.
 * The built-in `help` of commander is not used because it looks only one level deep and exits with a failure.
 * @throws {IngestError} `usage` for an unknown command
 */
export function withHelpAsked(argv: readonly string[], program: Command): readonly string[] {
  const [node = '', script = '', ...words] = argv
  const at = words.indexOf('help')
  if (at === -1 || !isGroup(program, words.slice(0, at))) return argv
  const names = words.filter(word => word !== 'help' && !word.startsWith('-'))
  return [node, script, ...pathTo(names, program), '--help']
}

/** Whether these names lead to a command group. Otherwise `help` is an argument of a command. */
function isGroup(command: Command, [name, ...deeper]: readonly string[]): boolean {
  if (name === undefined) return command.commands.length > 0
  const found = command.commands.find(one => one.name() === name)
  return found !== undefined && isGroup(found, deeper)
}

/** The leading names that form a command's path. Words after a command without subcommands are its arguments and are dropped. */
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
