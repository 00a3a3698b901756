/** Makes the record of a benchmark by the rules of a map. */

import { median } from '../analysis/robust.js'
import type { ExactObject, ExactValue } from '../contract/exact-value.js'
import type { Field } from '../contract/kinds.js'
import { quote } from '../contract/problem.js'
import { brokenRule, checkShape, type BenchRecord } from '../contract/validate.js'
import { IngestError } from '../errors.js'
import type { Benchmark } from './benchmark.js'
import { isWhole, multiply, parseDecimal, round } from './duration.js'
import type { MapRule } from './map.js'

/** A record with more runs might exceed the longest line that is read. */
const MAX_RUNS = 900_000
/** Rounding a time below this to whole nanoseconds may move it by half a percent and more. */
const COARSE_NS = 100

export type MadeRecord = {
  readonly record: BenchRecord
  /** Whether rounding to whole nanoseconds has changed the times noticeably. */
  readonly isCoarse: boolean
}

type MakeOptions = { readonly tool: string; readonly commitSha: string }

/**
 * @returns undefined when a rule leaves the benchmark out
 * @throws {IngestError} `bad_data` when no rule matches, or when the record would not be valid
 */
export function makeRecord(
  benchmark: Benchmark,
  map: readonly MapRule[],
  { tool, commitSha }: MakeOptions,
): MadeRecord | undefined {
  const { name, group, member } = benchmark
  const rule = map.find(({ match }) => match === undefined || match.test(name))
  if (rule === undefined) {
    const hint = 'add a [[map]] that matches it, or a last one without match for the rest; skip = true leaves it out'
    throw problemOf(benchmark, 'is matched by no rule of the map', hint)
  }
  if (rule.isSkipped) return undefined
  const captured = rule.match?.exec(name)?.groups ?? {}
  const facts = new Map([...benchmark.details, ...Object.entries({ tool, name, group, benchmark: member })])
  for (const [key, value] of Object.entries(captured)) if (value !== undefined) facts.set(key, value)
  const times = rule.kind.fields.some(field => field.name === 'value_ns') ? timesOf(benchmark, rule.per) : undefined
  const given: ExactObject = { commit_sha: commitSha, ...times?.fields }
  const fields = rule.kind.fields.flatMap(field => {
    const value = given[field.name] ?? fieldValue(field, { rule, facts, captured, benchmark })
    return value === undefined ? [] : [[field.name, value] as const]
  })
  const record = validRecord({ kind: rule.kind.kind, ...Object.fromEntries(fields) }, { benchmark, rule, commitSha })
  return { record, isCoarse: times?.isCoarse ?? false }
}

type Times = { readonly fields: ExactObject; readonly isCoarse: boolean }

/** The shown value is the median of the runs, each rounded to whole nanoseconds. */
function timesOf(benchmark: Benchmark, per: bigint): Times {
  const { runtimes, median: stated } = benchmark
  if (runtimes.length > MAX_RUNS)
    throw problemOf(benchmark, `has more than ${MAX_RUNS} runs, which fit in no record`, 'measure fewer runs')
  if (runtimes.length === 0 && stated === undefined)
    throw problemOf(benchmark, 'has no time', 'leave it out by a [[map]] with skip = true')
  const exact = (runtimes.length === 0 ? [stated!] : runtimes).map(time => multiply(time, per))
  const rounded = exact.map(time => safeNumber(round(time), benchmark))
  const value = Math.round(median(rounded))
  const all = runtimes.length === 0 ? [] : rounded.map(BigInt)
  return {
    fields: { value_ns: BigInt(value), all_runtimes_ns: all },
    isCoarse: value < COARSE_NS && !exact.every(isWhole),
  }
}

function safeNumber(value: bigint, benchmark: Benchmark): number {
  const number = Number(value)
  if (Number.isSafeInteger(number)) return number
  const limit = `the largest that convert writes exactly is ${Number.MAX_SAFE_INTEGER}`
  throw problemOf(benchmark, `has the number ${value}; ${limit}`, 'check the units of its times')
}

type FieldOptions = {
  readonly rule: MapRule
  readonly facts: ReadonlyMap<string, string>
  readonly captured: Readonly<Record<string, string | undefined>>
  readonly benchmark: Benchmark
}

/** @returns undefined when an optional part that the value needs is absent */
function fieldValue(field: Field, options: FieldOptions): ExactValue | undefined {
  const template = options.rule.templates.get(field.name)
  const text = template === undefined ? options.captured[field.name] : filled(field, template, options)
  if (text === undefined || field.type === 'str') return text
  const value = field.type === 'f64' ? realNumber(text) : wholeNumber(text)
  if (typeof value === 'bigint') safeNumber(value, options.benchmark)
  if (value !== undefined) return value
  const wanted = field.type === 'f64' ? 'a number' : 'a whole number'
  throw problemOf(
    options.benchmark,
    `gives ${field.name} the value ${quote(text)}, which is not ${wanted}`,
    seeRule(options.rule),
  )
}

function filled({ name }: Field, template: string, { rule, facts, benchmark }: FieldOptions): string | undefined {
  let isAbsent = false
  const text = template.replace(/\{([^{}?]+)(\??)\}/g, (_, key: string, optional: string) => {
    const fact = facts.get(key)
    if (fact === undefined && optional === '') {
      const known = `it has ${[...facts.keys()]
        .slice(0, SHOWN_FACTS)
        .map(known => `{${known}}`)
        .join(', ')}`
      throw problemOf(benchmark, `has no {${key}}, which ${rule.place} needs for ${name}`, known)
    }
    isAbsent ||= fact === undefined
    return fact ?? ''
  })
  return isAbsent ? undefined : text
}

const SHOWN_FACTS = 30

function wholeNumber(text: string): bigint | undefined {
  const ratio = parseDecimal(text.replace(/^-/, ''))
  if (ratio === undefined || !isWhole(ratio)) return undefined
  const value = round(ratio)
  return text.startsWith('-') ? -value : value
}

function realNumber(text: string): number | undefined {
  const value = Number(text)
  return text.trim() === '' || !Number.isFinite(value) ? undefined : value
}

type ValidOptions = { readonly benchmark: Benchmark; readonly rule: MapRule; readonly commitSha: string }

function validRecord(value: ExactObject, { benchmark, rule, commitSha }: ValidOptions): BenchRecord {
  const checked = checkShape(value)
  const problem = checked.ok ? brokenRule(checked.value, commitSha) : checked.problem
  if (checked.ok && problem === undefined) return checked.value
  throw problemOf(benchmark, `makes no valid ${rule.kind.kind}: ${problem?.message}`, seeRule(rule))
}

function seeRule({ place }: MapRule): string {
  return `see ${place}`
}

function problemOf({ place, name }: Benchmark, problem: string, hint: string): IngestError {
  return new IngestError('bad_data', `${place}: ${quote(name)} ${problem}`, { hint })
}
