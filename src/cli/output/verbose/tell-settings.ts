/** Logs the settings of a command and the origin of each, without secrets. */

import type { Command } from 'commander'
import { TARGET_KINDS } from '../../../targets/kinds.js'
import { listSettings, type GivenFlags } from '../../../targets/settings.js'
import type { Tell } from './tell.js'

/** Flags that name the variable of a secret. Their values are not logged, because a user may have given the secret itself. */
const NAMES_A_SECRET = ['tokenEnv', 'secretEnv']

export async function tellSettings(flags: GivenFlags, command: Command, tell: Tell): Promise<void> {
  for (const { name, value, origin } of namesTargets(command) ? await listSettings(flags) : given(flags))
    tell(`${name}: ${value} (${origin})`)
}

/** Whether the command has the flags of all targets. Its settings then include more than its given flags. */
function namesTargets(command: Command): boolean {
  return [...TARGET_KINDS.map(({ address }) => address), 'state'].every(name =>
    command.options.some(option => option.name() === name),
  )
}

function given({ flags, origins }: GivenFlags) {
  const values = new Map<string, unknown>(Object.entries(flags))
  return [...origins].map(([name, origin]) => {
    const value = NAMES_A_SECRET.includes(name) ? 'set' : String(values.get(name))
    return { name, value, origin }
  })
}
