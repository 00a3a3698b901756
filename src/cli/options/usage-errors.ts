/** Error messages for mistyped commands and flags: the mistake, a suggestion, and the command that prints the help. */

import type { Command } from 'commander'
import { IngestError } from '../../errors.js'
import { lineage } from './given-flags.js'
import { nearest } from '../../nearest.js'
import { pathOf } from './command-tree.js'
import { oneLine } from '../../visible-text.js'
import { type Output } from '../output/report.js'

/** Makes commander throw an `IngestError` with code `usage` for a mistake; it neither exits the process nor prints errors. */
export function configureUsage(
  command: Command,
  { stdout, stderr }: { readonly stdout: Output; readonly stderr: Output },
): void {
  command.exitOverride().configureOutput({
    writeOut: text => void stdout.write(text),
    writeErr: text => void stderr.write(text),
    outputError: text => {
      const meant = meantBy(command, text)
      // commander puts its own suggestion on a second line.
      const wrong = oneLine(text.replace(/^error: /, ''))
      const message = meant === undefined ? wrong : `${wrong} (Did you mean ${meant}?)`
      throw new IngestError('usage', message, { hint: `${pathOf(command)} --help shows the usage` })
    },
  })
}

/** Suggestions for mistakes for which commander has none. */
function meantBy(command: Command, text: string): string | undefined {
  return siblingMeant(command, text) ?? flagMeant(command, text)
}

/** Suggests a flag for `--formt=json`, because commander compares the whole word with the known flags. */
function flagMeant(command: Command, text: string): string | undefined {
  const [, flag] = /unknown option '(--[^'=]+)=/.exec(text) ?? []
  const known = lineage(command).flatMap(({ options }) => options.map(({ long }) => long ?? ''))
  return flag === undefined ? undefined : nearest(flag, known)
}

/** Suggests a sibling command for `journal helth`, which commander takes for the default command with too many arguments. */
function siblingMeant({ args, parent }: Command, text: string): string | undefined {
  if (parent === null || !text.includes('too many arguments')) return undefined
  const siblings = parent.commands.map(one => one.name())
  return parent.parent === null ? undefined : nearest(args[0] ?? '', siblings)
}

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
