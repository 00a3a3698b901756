/** Applies a config file to the flags that neither the command line nor a variable set. */

import { InvalidArgumentError, type Command, type Option } from 'commander'
import { readConfigFile } from '../../../config/config-file.js'
import { IngestError } from '../../../errors.js'
import { isDatabase, TARGET_KINDS } from '../../../targets/kinds.js'
import { lineage, typedName } from '../given-flags.js'
import type { AllCommands } from '../../context.js'
import type { Report } from '../../output/report.js'
import { configurable, flagName, applicableSections, type Section } from './sections.js'

export type Applied = {
  readonly path: string
  readonly profile: string | undefined
  readonly report: Report
  readonly all: AllCommands
}

/**
 * Sets the flags of a parsed command from its config file.
 * @throws {IngestError} `config_invalid`
 */
export async function applyConfigFile(command: Command, { path, profile, report, all }: Applied): Promise<void> {
  const commands = configurable(await all())
  const sections = applicableSections(await readConfigFile(path), { commands, command: typedName(command), profile })
  const levels = lineage(command)
  for (const level of levels)
    for (const option of level.options) {
      const section = sections.find(({ values }) => values.has(flagName(option)))
      if (section === undefined || isGiven(option, level) || isBeaten(option, levels)) continue
      const value = valueOf(option, section)
      if (value !== undefined) level.setOptionValueWithSource(option.attributeName(), value, section.origin)
      if (typeof value === 'string' && PASSWORD.test(value))
        report.warning(`${section.origin}: ${flagName(option)} holds a password: keep it out of files that are shared`)
    }
}

const PASSWORD = /:\/\/[^/@\s:]*:[^@\s]+@|\bpassword\s*=\s*\S/i

function isGiven(option: Option, command: Command): boolean {
  const source = command.getOptionValueSource(option.attributeName())
  return source !== undefined && source !== 'default'
}

/** Flags in the file that are ignored if a flag or a variable sets one of the listed flags, because the two conflict. */
function oppositesOf(name: string): readonly string[] {
  const kind = TARGET_KINDS.find(({ address }) => address === name)
  if (kind === undefined) return { quiet: ['verbose'], verbose: ['quiet'] }[name] ?? []
  const others = isDatabase(kind) ? TARGET_KINDS.filter(other => other !== kind && isDatabase(other)) : []
  return [...others.map(({ address }) => address), 'target']
}

function isBeaten(option: Option, levels: readonly Command[]): boolean {
  const isAsked = (name: string): boolean =>
    levels.some(level => ['cli', 'env'].includes(level.getOptionValueSource(name) ?? ''))
  return oppositesOf(option.attributeName()).some(isAsked)
}

/** Parses a value from the file as if it had been given on the command line; undefined for a switch that is off. */
function valueOf(option: Option, { origin, values }: Section): unknown {
  const name = flagName(option)
  const value = values.get(name)
  const wrong = (what: string): IngestError => new IngestError('config_invalid', `${origin}: ${name} ${what}`)
  if (option.isBoolean() || option.negate || (option.optional && typeof value === 'boolean')) {
    if (typeof value !== 'boolean') throw wrong('must be true or false')
    if (!value) return undefined
    const preset: unknown = option.presetArg
    return typeof preset === 'string' ? parsed(option, preset, undefined) : !option.negate
  }
  const texts = (Array.isArray(value) ? value : [value]).map(one => {
    if (typeof one === 'string' || typeof one === 'number' || typeof one === 'bigint') return String(one)
    throw wrong('must be a text or a number')
  })
  if (texts.length !== 1 && name !== 'target') throw wrong('takes one value')
  try {
    return texts.reduce<unknown>((before, text) => parsed(option, text, before), undefined)
  } catch (error) {
    throw error instanceof InvalidArgumentError ? wrong(`is wrong: ${error.message}`) : error
  }
}

function parsed(option: Option, text: string, before: unknown): unknown {
  const parse = option.parseArg as ((text: string, before: unknown) => unknown) | undefined
  return parse === undefined ? text : parse.call(option, text, before)
}
