/** Prints the result of `verify` as text. */

import type { VerifyResult } from '../../../delivery/verify.js'
import { plural, type Report } from '../../output/report.js'

export function printVerdict(report: Report, result: VerifyResult): void {
  const { target, compared, different, rejected } = result
  if (rejected > 0) return report.failure(`nothing was compared: ${plural(rejected, 'line')} rejected`)
  const gaps = gapLines(result)
  const limit = gaps.length === 0 ? '' : ', as far as they can be compared'
  const said = plural(compared, 'measurement')
  if (different === 0) report.verdict(true, 'verified:', `${said} in ${target} are as the file says${limit}`)
  else report.verdict(false, 'different:', `${plural(different, 'difference')} in ${said} against ${target}`)
  for (const gap of gaps) report.result(`not compared: ${gap}`)
}

/** One line for each field or kind that could not be compared because file and target have different contract versions. */
function gapLines({ notCompared: { fields, records }, targetVersion }: VerifyResult): readonly string[] {
  const target = `the target is at contract version ${targetVersion}`
  return [
    ...fields.map(({ kind, field, records, missingIn }) => {
      const why = missingIn === 'target' ? `${target}, which has no such field` : 'the file does not have it'
      return `${field} of ${plural(records, `${kind} record`)}: ${why}`
    }),
    ...records.map(
      ({ kind, field, records }) => `${plural(records, `${kind} record`)}: ${target}, which has no ${field}`,
    ),
  ]
}
