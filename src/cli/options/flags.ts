/** Flags of commands, made from declarations of options. Each can also be set by an environment variable. */

import { InvalidArgumentError, Option, type Command } from 'commander'
import { COMMIT_OPTIONS } from '../../config/commit.js'
import { CONTRACT_CHOICES } from '../../config/contract.js'
import { ENV_PREFIX } from '../../config/environment.js'
import {
  AGE,
  BYTES,
  LINE_LIMIT,
  optionName,
  POSITIVE,
  SECONDS,
  SPAN,
  type OptionDeclaration,
  type OptionDeclarations,
  type ValueType,
} from '../../config/option.js'
import { STATE_OPTIONS } from '../../config/state.js'
import { CONTRACTS, SCHEMA_VERSION } from '../../contract/kinds.js'
import { isDatabase, TARGET_KINDS } from '../../targets/kinds.js'
import { PII } from '../../targets/shared-options.js'
import { SERVER_OPTIONS } from '../../targets/server/options.js'
import { nearest } from '../../nearest.js'

/** @param flags in the syntax of commander, such as `--commit-sha <sha>` */
export function flag(flags: string, description: string): Option {
  const option = new Flag(flags, description)
  return option.env(ENV_PREFIX + option.name().replace(/-/g, '_').toUpperCase())
}

/** An option whose error message for an unknown choice suggests the most similar choice. */
class Flag extends Option {
  override choices(values: readonly string[]): this {
    super.choices(values)
    this.argParser((text: string) => {
      if (values.includes(text)) return text
      const close = nearest(text, values)
      const meant = close === undefined ? '' : ` (Did you mean ${close}?)`
      throw new InvalidArgumentError(`Allowed choices are ${values.join(', ')}.${meant}`)
    })
    return this
  }
}

/** The flag of a declared option. @param name in code, such as `commitSha` */
export function declaredFlag(name: string, { value, help, choices, preset, type }: OptionDeclaration): Option {
  const option = flag(`--${optionName(name)}${value === undefined ? '' : ` ${value}`}`, help)
  if (choices !== undefined) option.choices(choices)
  if (preset !== undefined) option.preset(preset)
  return type === undefined ? option : option.argParser(parserOf(type))
}

function declaredFlags(options: OptionDeclarations): readonly Option[] {
  return Object.entries(options).map(([name, option]) => declaredFlag(name, option))
}

const PARSERS = new Map<ValueType<unknown>, (text: string) => unknown>()

/** The parser of commander for a type. It is the same function for every flag of the type. */
function parserOf<T>(type: ValueType<T>): (text: string) => T {
  const parse = (PARSERS.get(type) as ((text: string) => T) | undefined) ?? parserFor(type)
  PARSERS.set(type, parse)
  return parse
}

function parserFor<T>({ parse, rule }: ValueType<T>): (text: string) => T {
  return text => {
    const value = parse(text)
    if (value === undefined) throw new InvalidArgumentError(rule)
    return value
  }
}

/** The type that a parser was made for. */
export function typeOfParser(parser: unknown): ValueType<unknown> | undefined {
  return [...PARSERS].find(([, made]) => made === parser)?.[0]
}

export const positive = parserOf(POSITIVE)
export const duration = parserOf(SECONDS)
export const age = parserOf(AGE)
export const byteCount = parserOf(BYTES)
export const span = parserOf(SPAN)

/** Flags of all target kinds for a command that delivers. */
export const deliveryFlags = (): readonly Option[] =>
  targetFlags(({ options, deliveryOptions }) => ({ ...options, ...deliveryOptions }))

/** Flags of all target kinds for `doctor`, which writes nothing and so has no write settings. */
export function checkFlags(): readonly Option[] {
  const settings = TARGET_KINDS.flatMap(({ tunables }) => tunables.map(({ name }) => name))
  return deliveryFlags().filter(option => !settings.includes(option.name()))
}

/** Flags for a command that reads rows, of any kind that has them. */
export const readingFlags = (): readonly Option[] => targetFlags(readingOptions)

/** Flags that name the token of a server, for a command that otherwise only reads. */
export function serverTokenFlags(): readonly Option[] {
  const { tokenEnv, tokenFile } = SERVER_OPTIONS
  return declaredFlags({ tokenEnv, tokenFile })
}

/** Flags for a command that reads or migrates a database. */
export const databaseFlags = (): readonly Option[] =>
  targetFlags(kind => (isDatabase(kind) ? readingOptions(kind) : {}))

/** Flags of `targets add`. */
export const registrationFlags = (): readonly Option[] => targetFlags(({ registration }) => registration.options)

type Kind = (typeof TARGET_KINDS)[number]

/** An option that several kinds declare is one flag. */
function targetFlags(chosen: (kind: Kind) => OptionDeclarations): readonly Option[] {
  return declaredFlags(Object.fromEntries(TARGET_KINDS.flatMap(kind => Object.entries(chosen(kind)))))
}

function readingOptions({ options, deliveryOptions }: Kind): OptionDeclarations {
  const all = Object.entries({ ...options, ...deliveryOptions })
  return Object.fromEntries(all.filter(([, { forReading }]) => forReading))
}

/** For commands that compare input with what a push has stored. */
export const piiFlag = (): Option => declaredFlag('pii', PII)

export const requireFlag = (): Option =>
  flag(
    '--require <kind>',
    'targets whose failure fails the push: all, any (one success is enough) or one kind (default: the first)',
  ).choices(['all', 'any', ...TARGET_KINDS.map(({ kind }) => kind)])

export const stateFlag = (): Option => declaredFlag('state', STATE_OPTIONS.state)

export const commitShaFlag = (): Option => declaredFlag('commitSha', COMMIT_OPTIONS.commitSha)

export const commitFlags = (): readonly Option[] => declaredFlags(COMMIT_OPTIONS)

export const formatFlag = (): Option =>
  flag('--format <format>', 'how to print the result').choices(['human', 'json']).default('human')

export const validateFormatFlag = (): Option =>
  flag('--format <format>', 'how to print the result; sarif and junit are for CI services')
    .choices(['human', 'json', 'sarif', 'junit'])
    .default('human')

export const contractFlag = (): Option =>
  flag('--contract <version>', 'contract version of the files; auto finds the version of each file')
    .choices(CONTRACT_CHOICES)
    .default('auto')

export const requireRecordsFlag = (): Option =>
  flag('--require-records', 'fail (exit 65) if a file holds no records; otherwise that is a warning')

export const rejectFlags = (): readonly Option[] => [
  flag('--on-error <action>', 'if a line is rejected: stop and deliver nothing, or reject it and deliver the others')
    .choices(['stop', 'reject'])
    .default('stop'),
  rejectsFlag(
    'with --on-error reject: write the rejected lines to this new file, and the reasons to FILE.reasons.jsonl',
  ),
  flag(
    '--max-rejections <n|p%>',
    'with --on-error reject: the most lines that may be rejected; if there are more, nothing is delivered (default: 0)',
  ).argParser(parserOf(LINE_LIMIT)),
]

export const rejectsFlag = (description: string): Option => flag('--rejects <file>', description)

export const noSecretsFlag = (): Option =>
  flag(
    '--no-secrets <action>',
    'if CI gives no secrets, as for a pull request from a fork: fail (exit 77) or skip (exit 0)',
  )
    .choices(['skip', 'fail'])
    .default('fail')

export const reportFlag = (): Option => flag('--report <file>', 'also write the JSON report to this file')

export const serverContractFlag = (): Option =>
  flag('--contract <n>', 'contract version of the server: the envelopes it accepts and the answers it gives')
    .choices([...CONTRACTS.keys()].map(String))
    .default(String(SCHEMA_VERSION))

export const explainFlag = (): Option =>
  flag('--explain', 'also print the write settings that were used and the origin of each')

export const targetNameFlag = (): Option =>
  flag('--target <name>', 'with --state: use only this registered target; may be repeated').argParser(
    (name: string, names: readonly string[] | undefined) => [...(names ?? []), name],
  )

export const downgradeFlag = (): Option =>
  flag(
    '--downgrade',
    'omit and report data that a target of an older contract version cannot store; otherwise such a target is refused',
  )

export const outcomeFlags = (): readonly Option[] => [
  requireFlag(),
  flag(
    '--allow-failure',
    'exit 0 even if a required target is down (69, or 75 with --state); bad data and a failing state still fail',
  ),
  flag('--no-revalidate', 'do not notify the site at BENCH_SITE_BASE_URL about new rows in Postgres'),
  flag('--no-warm', 'notify the site, but do not warm up its pages'),
  flag('--no-compare', "omit the comparison with the previous commit from the run's summary (GitHub Actions)"),
]

export function addOptions(command: Command, options: readonly Option[]): void {
  for (const option of options) command.addOption(option)
}

/** @param lines pairs of a command line and its purpose. A line without a pipe is prefixed with the program's name. */
export function examples(lines: readonly (readonly [string, string])[]): string {
  const texts = lines.map(([text, what]) => {
    const line = text.includes('|') ? text : `vortex-ingest ${text}`
    return what === '' ? `  ${line}` : `  ${line}   # ${what}`
  })
  return `\nExamples:\n${texts.join('\n')}\n`
}

export type TerminalFlags = {
  readonly quiet?: boolean
  readonly verbose?: boolean
  /** False with `--no-progress`. */
  readonly progress?: boolean
}

/** Flags that select the config file and its profile. */
export type ConfigFlags = { readonly config?: string; readonly profile?: string }

export const terminalFlags = (): readonly Option[] => [
  flag('-q, --quiet', 'print only errors and requested data'),
  flag('-v, --verbose', 'also log settings, connections, requests and timings').conflicts('quiet'),
  flag('--no-progress', 'never show progress, not even on a terminal'),
  flag(
    '--config <file>',
    'read flags from this file (default: vortex-ingest.toml or .json, up to the repository root)',
  ),
  flag('--profile <name>', 'profile of the config file to apply'),
]

/** Parses a ratio above 1. A threshold of 1 would report all noise as changes. */
export function parseRatio(text: string): number {
  const value = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text) || !(value > 1) || !Number.isFinite(value))
    throw new InvalidArgumentError('It must be a number above 1, such as 1.1.')
  return value
}
