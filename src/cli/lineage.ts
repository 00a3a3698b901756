/** Where a command stands among the others. */

import type { Command } from 'commander'

/** A command, then those that it is below. */
export function lineageOf(command: Command): readonly Command[] {
  return command.parent === null ? [command] : [command, ...lineageOf(command.parent)]
}

export function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent)
}

/** `state prune` of `vortex-ingest state prune`. */
export function typedNameOf(command: Command): string {
  return lineageOf(command)
    .slice(0, -1)
    .reverse()
    .map(level => level.name())
    .join(' ')
}
