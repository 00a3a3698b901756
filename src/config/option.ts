/** Declares options once: the flag, its variable, its entry in the config file, its help and its type follow from it. */

import { utcTimestamp } from '../contract/timestamp.js'

export type ValueType<T> = {
  /** @returns undefined for an invalid text */
  readonly parse: (text: string) => T | undefined
  /** The rule that an invalid text breaks, as a sentence. */
  readonly rule: string
  /** The JSON type of the value in a config file. Default: text or a number. */
  readonly jsonType?: string
  /** Shows a value to people. Default: as text. */
  show?(value: T): string
}

export type OptionDeclaration = {
  /** The value as help shows it: `<n>` is needed, `[dir]` may be left out. Absent for a switch. */
  readonly value?: string
  readonly help: string
  /** Parses the value. Default: any text. */
  readonly type?: ValueType<unknown>
  readonly choices?: readonly string[]
  /** The value of the flag when it is given without one. */
  readonly preset?: string
  /** The value that applies when the option is not given, for reports of all settings. */
  readonly default?: number | string
  /** Whether the value is the name of a variable or file with a secret, or an address that may contain a password. */
  readonly secret?: 'variable' | 'file' | 'address'
  /** Whether the option makes no sense unless a target of its kind is named. */
  readonly needsTarget?: true
  /** Whether commands that only read a target, or migrate it, have the option. */
  readonly forReading?: true
}

/** Declarations by the name of the option in code, such as `commitSha` for `--commit-sha`. */
export type OptionDeclarations = Readonly<Record<string, OptionDeclaration>>

type ValueOf<Option> = Option extends { readonly type: ValueType<infer T> }
  ? T
  : Option extends { readonly choices: readonly (infer Choice)[] }
    ? Choice
    : Option extends { readonly value: `[${string}` }
      ? string | true
      : Option extends { readonly value: string }
        ? string
        : boolean

/** The values of declared options. An option that was not given is absent. */
export type OptionValues<Options extends OptionDeclarations> = {
  readonly [Name in keyof Options]?: ValueOf<Options[Name]> | undefined
}

/** The origin of each value, by the name of its option: the flag, variable or config file. Defaults are not included. */
export type Origins = ReadonlyMap<string, string>

/** The name of an option in flags and config files: `commit-sha` for `commitSha`. */
export function optionName(name: string): string {
  return name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
}

/** An integer of at least 0. */
export const NATURAL: ValueType<number> = {
  parse: text => integerFrom(0, text),
  rule: 'It must be a whole number from 0.',
  jsonType: 'integer',
}

/** An integer of at least 1. */
export const POSITIVE: ValueType<number> = {
  parse: text => integerFrom(1, text),
  rule: 'It must be a whole number from 1.',
  jsonType: 'integer',
}

function integerFrom(least: number, text: string): number | undefined {
  const value = Number(text)
  return /^\d+$/.test(text) && value >= least && Number.isSafeInteger(value) ? value : undefined
}

/** A number of lines, or their share of all lines such as `5%`. */
export type LineLimit = number | `${number}%`

export const LINE_LIMIT: ValueType<LineLimit> = {
  parse: text => {
    const [, share] = /^(\d{1,3}(?:\.\d+)?)%$/.exec(text) ?? []
    if (share === undefined) return integerFrom(0, text)
    return Number(share) <= 100 ? `${Number(share)}%` : undefined
  },
  rule: 'It must be a number of lines such as 10, or a share such as 5%.',
}

const MAX_SECONDS = 1_000_000

/** A positive number of seconds. The maximum is below the limit of timers. */
export const SECONDS: ValueType<number> = {
  parse: text => {
    const value = Number(text)
    return /^\d+(\.\d+)?$/.test(text) && value > 0 && value <= MAX_SECONDS ? value : undefined
  },
  rule: `It must be a number of seconds above 0, at most ${MAX_SECONDS}.`,
  jsonType: 'number',
  show: value => `${value} s`,
}

const AGE_UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** An age such as `90m`, `12h` or `30d`, in milliseconds. */
export const AGE: ValueType<number> = {
  parse: text => withUnit(/^(\d{1,6})([mhd])$/, AGE_UNITS, text),
  rule: 'it must be an age such as 30d, 12h or 90m.',
  jsonType: 'string',
}

/** A time in RFC 3339, a date, which begins in UTC, or an age before now such as `30d`. @see timeAt */
export const PAST_TIME: ValueType<string> = {
  parse: text => (timeAt(text, new Date(0)) === undefined ? undefined : text),
  rule: 'It must be a date such as 2026-01-31, a time in RFC 3339, or an age such as 30d, 12h or 90m.',
  jsonType: 'string',
}

/** @returns the time of a text of type `PAST_TIME`, in RFC 3339; undefined for another text */
export function timeAt(text: string, now: Date): string | undefined {
  const ageMs = AGE.parse(text)
  if (ageMs !== undefined) return new Date(now.getTime() - ageMs).toISOString()
  return utcTimestamp(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text)
}

const SPAN_UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 }

/** A duration such as `30s`, `5m` or `1h`, in milliseconds. */
export const SPAN: ValueType<number> = {
  parse: text => withUnit(/^(\d{1,6})([smh])$/, SPAN_UNITS, text) || undefined,
  rule: 'It must be a time such as 30s, 5m or 1h.',
}

const BYTE_UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30 }

/** A size such as `1000`, `64KiB`, `64MiB` or `1GiB`, in bytes. */
export const BYTES: ValueType<number> = {
  parse: text => withUnit(/^(\d{1,15}) ?([a-z]*)$/i, BYTE_UNITS, text) || undefined,
  rule: 'It must be a size such as 64MiB.',
}

function withUnit(pattern: RegExp, units: Readonly<Record<string, number>>, text: string): number | undefined {
  const [, digits, unit = ''] = pattern.exec(text) ?? []
  const factor = units[unit.toLowerCase()]
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor
}
