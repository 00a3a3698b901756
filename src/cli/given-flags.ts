/** What was given to a parsed command: by flags before or after its name, or by variables. */

import type { Command, Option } from 'commander'
import type { Environment } from '../commit/ci.js'
import type { Origins } from '../config/settings.js'

const SWITCHED_OFF = ['', '0', 'false', 'no', 'off']

/**
 * The flags of a parsed command, where commander is taken too literally by the environment: to it a switch is on as
 * soon as there is a variable, even `…_INSECURE_LOCAL=0`, and a target in a variable stands beside one that a flag names.
 */
export function flagsOf(command: Command, env: Environment): object {
  const beaten = beatenBy(command)
  const dropped = given(command).filter(({ option, source }) => {
    if (source === 'cli') return false
    const isSwitch = option.isBoolean() || option.negate
    const isOff =
      source === 'env' && isSwitch && SWITCHED_OFF.includes((env[option.envVar ?? ''] ?? '').trim().toLowerCase())
    return isOff || beaten.includes(option.attributeName())
  })
  const names = new Set(dropped.map(({ option }) => option.attributeName()))
  return Object.fromEntries(Object.entries(command.optsWithGlobals<object>()).filter(([name]) => !names.has(name)))
}

/** Where the values of a parsed command come from: the flags that gave them, or the variables. */
export function originsOf(command: Command): Origins {
  return new Map(
    given(command).flatMap(({ option, source }) => {
      const origin = source === 'cli' ? option.long : source === 'env' ? option.envVar : fileOf(source)
      return origin === undefined ? [] : [[option.attributeName(), origin] as const]
    }),
  )
}

/** What a config file gave has the file as its source. */
function fileOf(source: string | undefined): string | undefined {
  return source === 'default' || source === 'implied' ? undefined : source
}

/** Targets that a variable names beside one that a flag names. */
function beatenBy(command: Command): readonly string[] {
  if (command.getOptionValueSource('postgres') === 'cli') return ['embedded']
  if (command.getOptionValueSource('embedded') !== 'cli') return []
  return ['postgres', 'insecureLocal', 'region', 'rolePolicy']
}

type Given = { readonly option: Option; readonly source: string | undefined }

function given(command: Command): readonly Given[] {
  const own = command.options.map(option => ({ option, source: command.getOptionValueSource(option.attributeName()) }))
  return command.parent === null ? own : [...own, ...given(command.parent)]
}
