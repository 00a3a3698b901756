/** Walks the tree of commands and subcommands. */

import type { Command } from 'commander'

/** A command and all its subcommands, parents first. */
export function withSubcommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)]
}

/** The full name of a command, such as `vortex-ingest state ls`. */
export function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}
