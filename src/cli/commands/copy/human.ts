/** Prints the result of `copy` as text. */

import type { IdMismatch } from '../../../delivery/copy/prepare-batch.js'
import type { CopyReport } from '../../../reports/copy.js'
import { oneLine } from '../../../visible-text.js'
import { plural, type Report } from '../../output/report.js'

export function mismatchLine({ table, storedId, id }: IdMismatch): string {
  return `${table} ${storedId}: the id of its dimensions is ${id}`
}

export function printCopied(report: Report, result: CopyReport, trustsIds: boolean): void {
  const { commits, records, inserted, updated, unchanged, mismatched, verified, continued_after: after } = result
  const what = `${plural(records, 'record')} of ${plural(commits, 'commit')} from ${result.source} to ${result.target}`
  report.verdict(true, 'copied', `${what}: ${inserted} inserted, ${updated} updated, ${unchanged} of them unchanged`)
  if (after !== null) report.result(`continued an interrupted copy after ${after}`)
  if (mismatched > 0) {
    const rest = trustsIds ? 'copied under their stored ids (--trust-ids)' : 'they were not copied'
    report.verdict(
      trustsIds,
      'other ids:',
      `${plural(mismatched, 'row')} with another id than their dimensions have: ${rest}`,
    )
    if (!trustsIds) report.hint('correct the rows at the source; --trust-ids copies them under their stored ids')
  }
  if (verified !== null) printVerified(report, verified)
}

function printVerified(report: Report, verified: NonNullable<CopyReport['verified']>): void {
  const { compared, different, newer, differences } = verified
  for (const { place, message } of differences) report.finding(oneLine(`${place}: ${message}`))
  if (different === 0)
    report.verdict(true, 'verified:', `${plural(compared, 'record')} at the target are as at the source`)
  else report.verdict(false, 'different:', `${plural(different, 'difference')} in ${plural(compared, 'record')}`)
  if (newer > 0) report.result(`${plural(newer, 'record')} kept the values of a later push`)
}
