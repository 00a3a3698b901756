/** Reads a map: the rules by which the names of another tool's benchmarks become records. */

import { isSection, readConfigFile } from '../config/config-file.js'
import { CONTRACT, type Field, type Kind } from '../contract/kinds.js'
import { quote } from '../contract/problem.js'
import { IngestError, messageOf } from '../errors.js'
import { nearest } from '../nearest.js'

/** Says what becomes of the benchmarks whose names match. */
export type MapRule = {
  /** The file and the rule's place in it, for messages. */
  readonly place: string
  /** Undefined matches every name. */
  readonly match: RegExp | undefined
  /** Leaves the benchmarks out. */
  readonly isSkipped: boolean
  readonly kind: Kind
  /** Number of iterations whose time is written. */
  readonly per: bigint
  /** Values of fields, in which `{NAME}` stands for a named group or a fact about the benchmark. */
  readonly templates: ReadonlyMap<string, string>
}

/** The kind of a rule that names none. Its dimensions hold the two parts of any name. */
const DEFAULT_KIND = 'random_access_time'
const DEFAULT_TEMPLATES: Readonly<Record<string, string>> = {
  dataset: '{group}',
  format: '{benchmark}',
  open_mode: 'cached',
}

const RULE_KEYS = ['match', 'skip', 'kind', 'per']
/** Fields that come from the commit and from the times. */
const FILLED_FIELDS = ['commit_sha', 'value_ns', 'all_runtimes_ns']
const KINDS = CONTRACT.kinds.map(({ kind }) => kind)

/** The map that is used when none is given. */
export function defaultMap(): readonly MapRule[] {
  return [ruleOf({}, 'the default map')]
}

/** @throws {IngestError} `config_invalid` when the file cannot be read or a rule is wrong */
export async function readMap(path: string): Promise<readonly MapRule[]> {
  const { content } = await readConfigFile(path, { what: 'map', namedBy: '--map' })
  const { map, ...others } = content
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) throw invalid(path, `has ${quote(unknown)}, but a map holds only tables [[map]]`)
  if (!Array.isArray(map) || !map.every(isSection)) throw invalid(path, 'holds no tables [[map]]')
  return map.map((rule: Rule, index) => ruleOf(rule, `${path}: map ${index + 1}`))
}

type Rule = Readonly<Record<string, unknown>>

function ruleOf(rule: Rule, place: string): MapRule {
  const { match, skip = false, kind: name = DEFAULT_KIND, per = 1 } = rule
  if (typeof skip !== 'boolean') throw invalid(place, 'has a skip that is neither true nor false')
  if (typeof per !== 'number' || !Number.isSafeInteger(per) || per < 1)
    throw invalid(place, 'has a per that is not a whole number from 1 on')
  const kind = CONTRACT.kinds.find(({ kind }) => kind === name)
  if (kind === undefined) throw invalid(place, `has the kind ${quote(String(name))}`, `kinds are ${KINDS.join(', ')}`)
  const pattern = match === undefined ? undefined : parsePattern(match, place)
  const captured = groupNames(pattern)
  const templates = templatesOf(rule, { kind, captured, place })
  if (!skip) assertComplete(kind, [...templates.keys(), ...captured], place)
  return { place, match: pattern, isSkipped: skip, kind, per: BigInt(per), templates }
}

function parsePattern(match: unknown, place: string): RegExp {
  if (typeof match !== 'string') throw invalid(place, 'has a match that is not text')
  try {
    // Python, Go and Rust write a named group as (?P<name>…).
    return new RegExp(match.replaceAll('(?P<', '(?<'), 'u')
  } catch (cause) {
    throw invalid(place, `has a match that is no regular expression: ${messageOf(cause)}`)
  }
}

type RuleContext = { readonly kind: Kind; readonly captured: readonly string[]; readonly place: string }

/** A key sets a field, otherwise a named group of `match` does, otherwise a default of the kind. */
function templatesOf(rule: Rule, { kind, captured, place }: RuleContext): ReadonlyMap<string, string> {
  const fields = settableFields(kind)
  const defaults = kind.kind === DEFAULT_KIND ? Object.entries(DEFAULT_TEMPLATES) : []
  const templates = new Map(defaults.filter(([name]) => !captured.includes(name)))
  for (const [key, value] of Object.entries(rule)) {
    if (RULE_KEYS.includes(key)) continue
    const field = fields.find(({ name }) => name === key)
    if (field === undefined) throw unknownKey(key, { kind, fields, place })
    const isNumber = typeof value === 'number' && field.type !== 'str'
    if (typeof value !== 'string' && !isNumber) throw invalid(place, `has a ${key} that must be in quotes`)
    templates.set(key, String(value))
  }
  return templates
}

function settableFields(kind: Kind): readonly Field[] {
  return kind.fields.filter(({ name }) => !FILLED_FIELDS.includes(name))
}

type KindFields = { readonly kind: Kind; readonly fields: readonly Field[]; readonly place: string }

function unknownKey(key: string, { kind, fields, place }: KindFields): IngestError {
  const names = fields.map(({ name }) => name)
  const close = nearest(key, [...names, ...RULE_KEYS])
  const hint = close === undefined ? `its fields are ${names.join(', ')}` : `did you mean ${close}?`
  return invalid(place, `has ${quote(key)}, which is no field of ${kind.kind}`, hint)
}

/** The names of the named groups of a pattern. */
function groupNames(pattern: RegExp | undefined): readonly string[] {
  return [...(pattern?.source ?? '').matchAll(/\(\?<([\p{L}_$][\p{L}\p{N}_$]*)>/gu)].map(([, name = '']) => name)
}

function assertComplete(kind: Kind, set: readonly string[], place: string): void {
  const missing = settableFields(kind).find(({ name, optional }) => !optional && !set.includes(name))
  if (missing === undefined) return
  const hint = `set ${missing.name} = "…", or name a group of match (?<${missing.name}>…)`
  throw invalid(place, `sets no ${missing.name}, which every ${kind.kind} has`, hint)
}

function invalid(place: string, problem: string, hint = 'see "I have criterion" in docs/data.md'): IngestError {
  return new IngestError('config_invalid', `${place} ${problem}`, { hint })
}
