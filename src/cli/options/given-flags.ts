/** Flag values of a parsed command, from flags before or after its name and from environment variables. */

import type { Command, Option } from 'commander'
import type { Environment } from '../../commit/ci.js'
import type { Origins } from '../../config/settings.js'

const SWITCHED_OFF = ['', '0', 'false', 'no', 'off']

/**
 * The flags of a parsed command, with two corrections to commander's handling of variables. A switch whose variable is
 * `0`, `false`, `no`, `off` or empty is off; commander would turn it on. A target from a variable is dropped if a flag
 * names another target.
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

/** Origin of each flag value of a parsed command: the flag, the variable or the config file that set it. */
export function originsOf(command: Command): Origins {
  return new Map(
    given(command).flatMap(({ option, source }) => {
      const origin = source === 'cli' ? option.long : source === 'env' ? option.envVar : fileOf(source)
      return origin === undefined ? [] : [[option.attributeName(), origin] as const]
    }),
  )
}

/** The config file that set a value; undefined for defaults. commander stores the file as the value's source. */
function fileOf(source: string | undefined): string | undefined {
  return source === 'default' || source === 'implied' ? undefined : source
}

/** Attribute names of target flags that are ignored when a variable sets them, because a flag names another target. */
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
