/**
 * Reads the sections of a config file and checks them against the known commands and flags. The file holds flags by their
 * long names, which apply to every command that has them, and `[command.NAME]` sections for single commands.
 * `[profile.NAME]` sections hold both again and take precedence.
 */

import type { Command, Option } from 'commander'
import { isSection, type ConfigFile } from '../../../config/config-file.js'
import { IngestError } from '../../../errors.js'
import { nearest } from '../../../nearest.js'

/** A section of the file that applies to the command. `origin` names it in messages. */
export type Section = { readonly origin: string; readonly values: ReadonlyMap<string, unknown> }

export type Commands = ReadonlyMap<string, readonly Option[]>

const COMMAND = 'command'
const PROFILE = 'profile'
/** Keys of a section that are not flags. `$schema` tells editors the schema of the file. */
const NO_FLAGS = [COMMAND, PROFILE, '$schema']
/** Flags that a file cannot set, because they are needed before the file is read, or end the program. */
const NOT_IN_FILES = ['config', 'profile', 'version']

/** The options of every command by its name, such as `state prune`. The options of the program have an empty name. */
export function configurable(program: Command): Commands {
  const found = new Map<string, readonly Option[]>()
  const add = (command: Command, name: string): void => {
    found.set(
      name,
      command.options.filter(option => !NOT_IN_FILES.includes(option.name())),
    )
    for (const below of command.commands) add(below, name === '' ? below.name() : `${name} ${below.name()}`)
  }
  add(program, '')
  return found
}

/**
 * @returns the sections that apply to one command, in order of precedence
 * @throws {IngestError} `config_invalid`
 */
export function applicableSections(
  { path, content }: ConfigFile,
  { commands, command, profile }: { commands: Commands; command: string; profile: string | undefined },
): readonly Section[] {
  const checked = new Checker(path, commands)
  const profiles = checked.tables(content, PROFILE)
  for (const [name, table] of profiles) checked.layer(table, `${PROFILE}.${name}.`)
  checked.layer(content, '')
  const chosen = profile === undefined ? undefined : profiles.get(profile)
  if (profile !== undefined && chosen === undefined) throw noProfile(path, profile, [...profiles.keys()])
  const layers = [...(chosen === undefined ? [] : [[chosen, `${PROFILE}.${profile}`] as const]), [content, ''] as const]
  return layers.flatMap(([layer, name]) => {
    const own = checked.tables(layer, COMMAND).get(command)
    const where = [name, `${COMMAND}.${command}`].filter(part => part !== '').join('.')
    return [
      ...(own === undefined ? [] : [{ origin: `${path} [${where}]`, values: new Map(Object.entries(own)) }]),
      { origin: name === '' ? path : `${path} [${name}]`, values: flagsIn(layer) },
    ]
  })
}

/**
 * The names of the profiles in a file.
 * @throws {IngestError} `config_invalid` if a profile is not a section
 */
export function listProfiles({ path, content }: ConfigFile): readonly string[] {
  return [...new Checker(path, new Map()).tables(content, PROFILE).keys()]
}

type Table = Readonly<Record<string, unknown>>

function flagsIn(layer: Table): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(layer).filter(([name]) => !NO_FLAGS.includes(name)))
}

class Checker {
  constructor(
    private readonly path: string,
    private readonly commands: Commands,
  ) {}

  /** The sections below `name`. */
  tables(layer: Table, name: string): ReadonlyMap<string, Table> {
    const tables = layer[name] ?? {}
    if (!isSection(tables)) throw new IngestError('config_invalid', `${this.path}: ${name} is not a section`)
    return new Map(
      Object.entries(tables).map(([key, table]) => {
        if (isSection(table)) return [key, table]
        throw new IngestError('config_invalid', `${this.path}: ${name}.${key} is not a section`)
      }),
    )
  }

  /** Requires every name in a layer to be a known flag. */
  layer(layer: Table, prefix: string): void {
    const all = [...new Set([...this.commands.values()].flat().map(option => flagName(option)))]
    for (const name of flagsIn(layer).keys())
      if (!all.includes(name)) throw this.unknown(`${prefix}`, name, [...all, COMMAND, PROFILE])
    for (const [command, table] of this.tables(layer, COMMAND)) this.#command(command, table, `${prefix}${COMMAND}.`)
  }

  #command(command: string, table: Table, prefix: string): void {
    const options = this.commands.get(command)
    if (options === undefined || command === '') throw this.unknown(prefix, command, [...this.commands.keys()])
    const names = [...options, ...(this.commands.get('') ?? [])].map(flagName)
    for (const name of Object.keys(table))
      if (!names.includes(name)) throw this.unknown(`${prefix}${command}.`, name, names)
  }

  unknown(where: string, name: string, names: readonly string[]): IngestError {
    const close = nearest(name, names)
    const secret = /token|password|secret/i.test(name) ? 'secrets stay in the environment or in a file' : undefined
    const hint = secret ?? (close === undefined ? 'docs/config.md says what there is' : `did you mean ${close}?`)
    return new IngestError('config_invalid', `${this.path}: ${where}${name} is not known`, { hint })
  }
}

function noProfile(path: string, name: string, names: readonly string[]): IngestError {
  const close = nearest(name, names)
  const meant = close === undefined ? '' : `did you mean ${close}? `
  const hint = names.length === 0 ? 'it has no profiles' : `${meant}its profiles are ${names.join(', ')}`
  return new IngestError('config_invalid', `${path}: there is no profile ${name}`, { hint })
}

/** The name of a flag in a config file, such as `no-warm` for `--no-warm`. */
export function flagName(option: Option): string {
  return option.long?.replace(/^--/, '') ?? option.name()
}
