/** The settings of a command with where each comes from, without secrets. */

import type { Command } from 'commander'
import { settingsOf, type Told } from '../../config/settings.js'
import type { Tell } from './tell.js'

/** Whatever names a secret may by mistake be the secret itself. */
const NAMES_A_SECRET = ['tokenEnv', 'secretEnv']

export function tellSettings(told: Told, command: Command, tell: Tell): void {
  for (const { name, value, origin } of namesTargets(command) ? settingsOf(told) : given(told))
    tell(`${name}: ${value} (${origin})`)
}

/** Commands that write know more of their settings than their flags say. */
function namesTargets(command: Command): boolean {
  return ['server', 'postgres', 'state'].every(name => command.options.some(option => option.name() === name))
}

function given({ flags, origins }: Told) {
  const values = new Map<string, unknown>(Object.entries(flags))
  return [...origins].map(([name, origin]) => {
    const value = NAMES_A_SECRET.includes(name) ? 'set' : String(values.get(name))
    return { name, value, origin }
  })
}
