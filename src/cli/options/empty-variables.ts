/** Environment variables that are set but empty, as CI services pass variables that have no value. */

import type { Command } from 'commander'
import type { Environment } from '../../commit/ci.js'

/**
 * Flags for which an empty variable counts as a value. An empty target or state must be an error, because records would
 * otherwise silently go elsewhere. An empty `--config` means no config file.
 */
const SAID_BY_BEING_EMPTY = ['server', 'postgres', 'embedded', 'archive', 'state', 'target', 'config']

/** Makes the flags of `commands` ignore empty variables, except the flags in `SAID_BY_BEING_EMPTY`. */
export function withoutEmptyVariables(commands: readonly Command[], env: Environment): void {
  for (const option of commands.flatMap(command => command.options)) {
    const isEmpty = option.envVar !== undefined && env[option.envVar] === ''
    if (isEmpty && !SAID_BY_BEING_EMPTY.includes(option.name())) delete option.envVar
  }
}
