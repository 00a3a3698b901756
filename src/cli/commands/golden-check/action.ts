/** `golden-check`: checks both id implementations against the golden vectors of every contract version, and the version anchors. */

import { CONTRACTS, SCHEMA_VERSION } from '../../../contract/kinds.js'
import { EXIT } from '../../../errors.js'
import type { GoldenCheckReport } from '../../../reports/records.js'
import {
  checkGolden,
  type AnchorCheck,
  type GoldenCheck,
  type GoldenFileCheck,
  type ImplementationCheck,
} from '../../../source/golden-check.js'
import type { Action, Format } from '../../context.js'
import { plural, type Report } from '../../output/report.js'

export type GoldenFlags = { readonly format: Format; readonly vectors?: string }

export const runGoldenCheck: Action<GoldenFlags> = async (_args, { format, vectors }, { report }) => {
  const checked = await checkGolden(vectors)
  const exitCode = checked.isGood ? EXIT.done : EXIT.mismatch
  if (format === 'json') report.json<GoldenCheckReport>(goldenCheckReport(checked, exitCode))
  else printGolden(report, checked)
  return exitCode
}

const SHOWN = 5

function printGolden(report: Report, { files, anchors }: GoldenCheck): void {
  for (const file of files) for (const check of file.checks) printCheck(report, file, check)
  printAnchors(report, anchors)
}

function printCheck(
  report: Report,
  file: GoldenFileCheck,
  { implementation, mismatches: found }: ImplementationCheck,
): void {
  const good = found.length === 0
  const vectors = plural(file.vectors, 'vector')
  const all = good ? `all ${vectors}` : `${found.length} of ${vectors} differ`
  const where = `contract version ${file.contractVersion}, ${implementation}`
  report.verdict(good, good ? 'ok:' : 'mismatch:', `${where}: ${all} of ${file.file}`)
  for (const { index, table, expected, got } of found.slice(0, SHOWN))
    report.result(`  vector ${index} (${table}): expected ${expected}, got ${got}`)
  if (found.length > SHOWN) report.result(`  and ${found.length - SHOWN} more`)
}

function printAnchors(report: Report, { checked, broken }: AnchorCheck): void {
  for (const problem of broken) report.verdict(false, 'mismatch:', problem)
  if (broken.length > 0) return
  for (const version of CONTRACTS.keys()) {
    const files = checked.filter(anchor => anchor.version === version).map(({ file }) => file)
    report.verdict(true, 'ok:', `contract version ${version} in ${plural(files.length, 'place')}: ${files.join(', ')}`)
  }
}

function goldenCheckReport({ files, anchors: { checked, broken } }: GoldenCheck, exitCode: number): GoldenCheckReport {
  return {
    command: 'golden-check',
    exit_code: exitCode,
    schema_version: SCHEMA_VERSION,
    files: files.map(jsonFile),
    anchors: { checked: checked.map(({ file }) => file), broken },
  }
}

type CheckedFile = GoldenCheckReport['files'][number]

function jsonFile({ file, contractVersion, vectors, checks }: GoldenFileCheck): CheckedFile {
  return { file, contract_version: contractVersion, vectors, checks: checks.map(jsonCheck) }
}

function jsonCheck({ implementation, mismatches: found }: ImplementationCheck): CheckedFile['checks'][number] {
  return { implementation, mismatched: found.length, first: found.slice(0, SHOWN) }
}
