/** The position of a command in the tree of commands. */

import type { Command } from 'commander'

/** A command followed by its ancestors, up to the program. */
export function lineageOf(command: Command): readonly Command[] {
  return command.parent === null ? [command] : [command, ...lineageOf(command.parent)]
}

export function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent)
}

/** The name of a command without the program's name, such as `state prune`. */
export function typedNameOf(command: Command): string {
  return lineageOf(command)
    .slice(0, -1)
    .reverse()
    .map(level => level.name())
    .join(' ')
}
