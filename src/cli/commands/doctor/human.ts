/** Prints a diagnosis as text, with the verdict first, or as JSON. */

import type { Diagnosis } from './diagnose.js'
import type { CheckedLine, Examined } from '../../../doctor/examine.js'
import type { Format } from '../../context.js'
import { oneLine } from '../../../visible-text.js'
import { plural, type Report } from '../../output/report.js'
import type { DoctorReport } from '../../../reports/operations.js'

export function printExamined(report: Report, diagnosis: Diagnosis, format: Format): void {
  if (format === 'json') return report.json<DoctorReport>(document(diagnosis))
  report.verdict(diagnosis.exitCode === 0, diagnosis.exitCode === 0 ? 'ready:' : 'not ready:', summary(diagnosis))
  for (const group of diagnosis.groups) printGroup(report, group)
}

function summary({ groups }: Diagnosis): string {
  const { ok, warn, fail } = tally(groups)
  const failed = fail === 0 ? [] : [`${fail} failed`]
  const warned = warn === 0 ? [] : [plural(warn, 'warning')]
  return [...failed, ...warned, `${ok} ok`].join(', ')
}

function tally(groups: readonly Examined[]): Record<CheckedLine['status'], number> {
  const found = { ok: 0, warn: 0, fail: 0 }
  for (const { lines } of groups) for (const { status } of lines) found[status]++
  return found
}

function printGroup(report: Report, { name, target, lines }: Examined): void {
  report.result(`\n${oneLine(target ?? name)}`)
  const width = Math.max(...lines.map(({ check }) => check.length))
  for (const line of lines) {
    report.status(line.status, `${line.check.padEnd(width)}  ${line.fact}`)
    if (line.status !== 'ok' && line.hint !== undefined)
      report.result(`       ${' '.repeat(width)}  do: ${oneLine(line.hint)}`)
  }
}

function document({ exitCode, groups }: Diagnosis): DoctorReport {
  const { ok, warn, fail } = tally(groups)
  return {
    ...{ command: 'doctor', exit_code: exitCode, ready: exitCode === 0, ok, warnings: warn, failures: fail },
    groups: groups.map(({ name, target, lines }) => ({ name, target: target ?? null, lines: lines.map(element) })),
  }
}

function element(line: CheckedLine): DoctorReport['groups'][number]['lines'][number] {
  const { check, status, fact } = line
  const hint = line.status === 'ok' ? undefined : line.hint
  return { check, status, fact, code: line.status === 'fail' ? line.code : null, hint: hint ?? null }
}
