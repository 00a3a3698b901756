/** Generates the JSON Schema of the config file from the commands, so that it covers every flag. Editors use it. */

import type { Command, Option } from 'commander'
import { configurable, flagName } from '../src/cli/options/config-file/sections.js'
import { typeOfParser } from '../src/cli/options/flags.js'

type Schema = Readonly<Record<string, unknown>>

export function configSchema(program: Command): Schema {
  const commands = configurable(program)
  const general = commands.get('') ?? []
  const all = [...commands.values()].flat()
  const sections = [...commands].filter(([name, options]) => name !== '' && options.length > 0)
  const commandTables = object(
    Object.fromEntries(sections.map(([name, options]) => [name, object(propertiesOf([...options, ...general]))])),
    'flags for one command, which go before those for all',
  )
  const layer = { ...propertiesOf(all), command: commandTables }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'https://vortex-ingest.dev/schemas/config.json',
    title: 'vortex-ingest.toml or vortex-ingest.json',
    ...object({
      $schema: { type: 'string' },
      ...layer,
      profile: {
        type: 'object',
        description: 'taken with --profile NAME; goes before what is outside of profiles',
        additionalProperties: object(layer),
      },
    }),
  }
}

function object(properties: Schema, description?: string): Schema {
  return { type: 'object', ...(description && { description }), properties, additionalProperties: false }
}

/** A flag of several commands is described once, by the first command that has it. */
function propertiesOf(options: readonly Option[]): Schema {
  const byName = new Map<string, readonly Option[]>()
  for (const option of options) byName.set(flagName(option), [...(byName.get(flagName(option)) ?? []), option])
  return Object.fromEntries([...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, same]) => [name, one(same)]))
}

function one(same: readonly Option[]): Schema {
  const { description } = same[0]!
  const choices = [...new Set(same.flatMap(option => option.argChoices ?? []))]
  const switches = same.some(option => option.optional) ? [true, false] : []
  // A flag of the same name may have choices in one command only.
  if (same.every(option => option.argChoices !== undefined))
    return { description, enum: [...choices.flatMap(asWritten), ...switches] }
  const types = [...new Set(same.flatMap(typesOf))]
  const type = types.length === 1 ? types[0] : types
  return types.includes('array') ? { description, type, items: { type: 'string' } } : { description, type }
}

/** A choice that is a whole number may be written with or without quotes. */
function asWritten(choice: string): readonly (string | number)[] {
  return /^\d+$/.test(choice) ? [choice, Number(choice)] : [choice]
}

function typesOf(option: Option): readonly string[] {
  if (option.isBoolean() || option.negate) return ['boolean']
  if (option.name() === 'target') return ['string', 'array']
  if (option.optional) return ['string', 'boolean']
  if (option.parseArg === undefined) return ['string']
  // For other parsers, a number may be written as a number or as text.
  const { jsonType } = typeOfParser(option.parseArg) ?? {}
  return jsonType === undefined ? ['number', 'string'] : [jsonType]
}
