/** Logs the settings of a command and the origin of each, without secrets. */

import type { Command } from 'commander'
import { settingsOf, type Told } from '../../../config/settings.js'

/** Flags that name the variable of a secret. Their values are not logged, because a user may have given the secret itself. */
const NAMES_A_SECRET = ['tokenEnv', 'secretEnv']

export function logSettings(given: Told, command: Command, log: (line: string) => void): void {
  for (const { name, value, origin } of namesTargets(command) ? settingsOf(given) : flagSettings(given))
    log(`${name}: ${value} (${origin})`)
}

/** Whether the command has the flags of all targets. Its settings then include more than its given flags. */
function namesTargets(command: Command): boolean {
  return ['server', 'postgres', 'state'].every(name => command.options.some(option => option.name() === name))
}

function flagSettings({ flags, origins }: Told) {
  const values = new Map<string, unknown>(Object.entries(flags))
  return [...origins].map(([name, origin]) => {
    const value = NAMES_A_SECRET.includes(name) ? 'set' : String(values.get(name))
    return { name, value, origin }
  })
}
