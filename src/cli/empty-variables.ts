/** Variables that are there and empty, as CI services make them of what is not set. */

import type { Command } from 'commander'
import type { Environment } from '../commit/ci.js'

/** Places that records would go to otherwise, or be kept in, are missed; and an empty --config asks for none. */
const SAID_BY_BEING_EMPTY = ['server', 'postgres', 'embedded', 'archive', 'state', 'target', 'config']

/** The flags of these commands take no empty variable for a value. */
export function withoutEmptyVariables(commands: readonly Command[], env: Environment): void {
  for (const option of commands.flatMap(command => command.options)) {
    const isEmpty = option.envVar !== undefined && env[option.envVar] === ''
    if (isEmpty && !SAID_BY_BEING_EMPTY.includes(option.name())) delete option.envVar
  }
}
