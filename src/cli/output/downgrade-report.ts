/** Reports the fields and records that a target of an older contract version cannot store, as JSON and as text. */

import type { Downgrade, FieldCount } from '../../source/downgrade.js'
import { count, plural } from './report.js'
import type { DowngradeReport } from '../../reports/delivery.js'

export function downgradeReport(downgrade: Downgrade | undefined): DowngradeReport | null {
  if (downgrade === undefined) return null
  const { version, fieldsLeftOut, recordsNotSent } = downgrade
  return { contract_version: version, fields_left_out: fieldsLeftOut, records_not_sent: recordsNotSent }
}

/** One sentence about the fields and records that were left out. @param description the target in words, without secrets */
export function downgradeText(description: string, { version, fieldsLeftOut, recordsNotSent }: Downgrade): string {
  const leftOut = fieldsLeftOut.map(({ field, kind, records }) => `left out ${field} of ${recordsOf(kind, records)}`)
  const notSent = recordsNotSent.map(({ field, kind, records }: FieldCount) => {
    return `did not send ${recordsOf(kind, records)} whose ${field} the target cannot store`
  })
  return `${description} is at contract version ${version}: --downgrade ${[...leftOut, ...notSent].join('; ')}`
}

function recordsOf(kind: string, records: number): string {
  return `${count(records)} ${kind} ${plural(records, 'record').split(' ').at(-1)}`
}
