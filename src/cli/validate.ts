/** `validate`: every line of every source checked, nothing sent. */

import { EXIT } from '../errors.js'
import { wasmHash64 } from '../contract/hash64.js'
import { identifier } from '../source/identify.js'
import { openInputs, releaseAll } from '../source/inputs.js'
import { inspect, type Inspection } from '../source/inspect.js'
import type { Rejection, Warning } from '../source/rejection.js'
import type { Action, Format } from './context.js'
import { JsonArrayReport } from './json-array-report.js'
import { count, plural, rejectionLine, warningLine, type Report } from './report.js'

export type ValidateFlags = {
  readonly format: Format
  readonly commitSha?: string
  readonly maxRejections?: number
}

export const validate: Action<ValidateFlags> = async (args, flags, { report, signal, stdin }) => {
  const sources = await openInputs(args, { stdin, rereadable: false, signal })
  const printer = flags.format === 'json' ? new JsonPrinter(report) : new HumanPrinter(report)
  const identify = identifier(await wasmHash64())
  let rejected = 0
  const enough = (): boolean => rejected >= (flags.maxRejections ?? Infinity)
  const onRejection = (rejection: Rejection): void => {
    // A block of lines is checked whole, so more can come than were asked for.
    if (!enough()) printer.rejection(rejection)
    rejected++
  }
  const onWarning = (warning: Warning): void => printer.warning(warning)
  const { commitSha } = flags
  const inspections: Inspection[] = []
  try {
    for (const source of sources) {
      if (enough()) break
      const oneCommit = commitSha !== undefined
      inspections.push(
        await inspect(source, { commitSha, oneCommit, identify, onRejection, onWarning, enough, signal }),
      )
    }
  } catch (error) {
    printer.fail(error)
    throw error
  } finally {
    await releaseAll(sources)
  }
  const exitCode = rejected > 0 ? EXIT.badData : EXIT.done
  printer.done({
    inspections,
    rejected: Math.min(rejected, flags.maxRejections ?? Infinity),
    stoppedEarly: enough(),
    exitCode,
  })
  return exitCode
}

type Outcome = {
  readonly inspections: readonly Inspection[]
  readonly rejected: number
  readonly stoppedEarly: boolean
  readonly exitCode: number
}

class HumanPrinter {
  #warnings = 0

  constructor(private readonly report: Report) {}

  rejection(rejection: Rejection): void {
    this.report.result(`error: ${rejectionLine(rejection)}`)
  }

  warning(warning: Warning): void {
    this.#warnings++
    this.report.result(`warning: ${warningLine(warning)}`)
  }

  /** The error itself comes after what was found before it. */
  fail(): void {}

  done({ inspections, rejected, stoppedEarly }: Outcome): void {
    const { records, counts } = totals(inspections)
    const where = inspections.length === 1 ? (inspections[0]?.source ?? '') : plural(inspections.length, 'file')
    const warned = this.#warnings === 0 ? '' : `, ${plural(this.#warnings, 'warning')}`
    if (stoppedEarly)
      this.report.verdict(false, 'invalid:', `stopped after ${plural(rejected, 'rejected line')} in ${where}`)
    else if (rejected > 0) {
      const all = `${count(rejected)} of ${plural(records + rejected, 'line')} rejected in ${where}${warned}`
      this.report.verdict(false, 'invalid:', all)
    } else this.report.verdict(true, 'valid:', `${plural(records, 'record')} in ${where}${warned}`)
    for (const [kind, number] of counts) this.report.result(`  ${kind.padEnd(20)} ${count(number).padStart(11)}`)
  }
}

/** Warnings kept for the end of the JSON document; what is beyond is only counted. */
const MAX_WARNINGS = 1_000

class JsonPrinter {
  #rejections: JsonArrayReport
  #warnings: Warning[] = []
  #warned = 0

  constructor(report: Report) {
    this.#rejections = new JsonArrayReport(report, 'rejections')
  }

  rejection(rejection: Rejection): void {
    this.#rejections.element(rejection)
  }

  warning(warning: Warning): void {
    this.#warned++
    if (this.#warnings.length < MAX_WARNINGS) this.#warnings.push(warning)
  }

  fail(error: unknown): void {
    this.#rejections.fail(error)
  }

  done({ inspections, rejected, stoppedEarly, exitCode }: Outcome): void {
    const { records, counts, lines } = totals(inspections)
    this.#rejections.end({
      command: 'validate',
      exit_code: exitCode,
      valid: rejected === 0,
      stopped_early: stoppedEarly,
      lines,
      records,
      rejected,
      kinds: Object.fromEntries(counts),
      files: inspections.map(({ source, lines, records, rejected }) => ({ source, lines, records, rejected })),
      warned: this.#warned,
      warnings: this.#warnings,
    })
  }
}

function totals(inspections: readonly Inspection[]): { lines: number; records: number; counts: Map<string, number> } {
  const counts = new Map<string, number>()
  for (const inspection of inspections)
    for (const [kind, number] of inspection.counts) counts.set(kind, (counts.get(kind) ?? 0) + number)
  const sum = (of: (inspection: Inspection) => number): number => inspections.reduce((total, one) => total + of(one), 0)
  return { lines: sum(one => one.lines), records: sum(one => one.records), counts }
}
