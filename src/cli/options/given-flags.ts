/** Flag values of a parsed command, from flags before or after its name and from environment variables. */

import type { Command, Option } from 'commander'
import type { Environment } from '../../commit/ci.js'
import type { Origins } from '../../config/option.js'
import { isDatabase, TARGET_KINDS, type TargetFlags } from '../../targets/kinds.js'

const SWITCHED_OFF = ['', '0', 'false', 'no', 'off']

/**
 * The flags of a parsed command, with two corrections to commander's handling of variables. A switch whose variable is
 * `0`, `false`, `no`, `off` or empty is off; commander would turn it on. A target from a variable is dropped if a flag
 * names another target.
 */
export function givenFlags(command: Command, env: Environment): TargetFlags {
  const beaten = beatenBy(command)
  const dropped = given(command).filter(({ option, source }) => {
    if (source === 'cli') return false
    const isSwitch = option.isBoolean() || option.negate
    const isOff =
      source === 'env' && isSwitch && SWITCHED_OFF.includes((env[option.envVar ?? ''] ?? '').trim().toLowerCase())
    return isOff || beaten.includes(option.attributeName())
  })
  const names = new Set(dropped.map(({ option }) => option.attributeName()))
  return Object.fromEntries(
    Object.entries(command.optsWithGlobals<Record<string, unknown>>()).filter(([name]) => !names.has(name)),
  )
}

/** Origin of each flag value of a parsed command: the flag, the variable or the config file that set it. */
export function findOrigins(command: Command): Origins {
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
  const databases = TARGET_KINDS.filter(isDatabase)
  const named = databases.find(({ address }) => command.getOptionValueSource(address) === 'cli')
  if (named === undefined) return []
  return databases.flatMap(kind => (kind === named ? [] : Object.keys(kind.options)))
}

type Given = { readonly option: Option; readonly source: string | undefined }

function given(command: Command): readonly Given[] {
  const own = command.options.map(option => ({ option, source: command.getOptionValueSource(option.attributeName()) }))
  return command.parent === null ? own : [...own, ...given(command.parent)]
}

/** A command followed by its ancestors, up to the program. */
export function lineage(command: Command): readonly Command[] {
  return command.parent === null ? [command] : [command, ...lineage(command.parent)]
}

export function findRoot(command: Command): Command {
  return command.parent === null ? command : findRoot(command.parent)
}

/** The name of a command without the program's name, such as `state prune`. */
export function typedName(command: Command): string {
  return lineage(command)
    .slice(0, -1)
    .reverse()
    .map(level => level.name())
    .join(' ')
}

/**
 * Flags for which an empty variable counts as a value. An empty target or state must be an error, because records would
 * otherwise silently go elsewhere. An empty `--config` means no config file.
 */
const MAY_BE_EMPTY = [...TARGET_KINDS.map(({ address }) => address), 'state', 'target', 'config']

/** Makes the flags of `commands` ignore empty variables, except the flags in `MAY_BE_EMPTY`. */
export function withoutEmptyVariables(commands: readonly Command[], env: Environment): void {
  for (const option of commands.flatMap(command => command.options)) {
    const isEmpty = option.envVar !== undefined && env[option.envVar] === ''
    if (isEmpty && !MAY_BE_EMPTY.includes(option.name())) delete option.envVar
  }
}

/**
 * Rewrites `--compress results.jsonl` to `--compress=always results.jsonl`, because commander would take the file for the
 * flag's value. The next word is the value only if it is one of the flag's choices.
 * @param commands the commands whose flags may occur
 */
export function withPresets(argv: readonly string[], commands: readonly Command[]): readonly string[] {
  const options = commands.flatMap(command => command.options).filter(option => option.presetArg !== undefined)
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length
  return argv.map((word, index) => {
    const option = index < end ? options.find(({ long }) => long === word) : undefined
    if (option === undefined || option.argChoices?.includes(argv[index + 1] ?? '') === true) return word
    return `${word}=${String(option.presetArg)}`
  })
}
