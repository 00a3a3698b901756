/** Prints where a value comes from, for people. */

import type { DeliveryEntry, LineageReport } from '../../../reports/lineage.js'
import { plural, type Report } from '../../output/report.js'

export function printLineage(report: Report, { measurement, commit, place, deliveries }: LineageReport): void {
  const what = measurement === null ? `commit ${commit}` : `${measurement.kind} ${measurement.id} of commit ${commit}`
  report.result(`${what} in ${place}: ${plural(deliveries.length, 'delivery', 'deliveries')}, the newest first`)
  for (const delivery of deliveries) {
    report.result('')
    report.result(`${delivery.applied_at ?? delivery.produced_at ?? 'at an unknown time'}  ${runText(delivery)}`)
    for (const [name, text] of facts(delivery, measurement !== null)) report.result(`  ${name.padEnd(9)} ${text}`)
  }
}

function runText({ benchmark_id, producer, run, attempt }: DeliveryEntry): string {
  const ci = producer === null ? '' : `${producer}, run ${run}, attempt ${attempt}`
  return [benchmark_id, ci].filter(Boolean).join(' · ') || 'an unknown run'
}

function facts(delivery: DeliveryEntry, isOfMeasurement: boolean): readonly (readonly [string, string])[] {
  const { stored, run_url: url, sources, source_count: count, produced_at: producedAt, target, id } = delivery
  const more = count - sources.length
  return [
    ...named('value', storedText(stored, isOfMeasurement)),
    ...named('run', url),
    ...sources.map(({ name, first_line: first, last_line: last, hash }) => {
      const lines = first === 1 ? `${last} lines` : `lines ${first} to ${last}`
      return ['source', `${name}, ${lines}${hash === null ? '' : `, ${hash}`}`] as const
    }),
    ...named('', more > 0 ? `and ${plural(more, 'more source')}` : null),
    ...named('sent', sentText(delivery)),
    ...named('read', producedAt),
    ...named('target', target),
    ['delivery', id],
  ]
}

function named(name: string, text: string | null): readonly (readonly [string, string])[] {
  return text === null || text === '' ? [] : [[name, text]]
}

function storedText(stored: number | null, isOfMeasurement: boolean): string | null {
  if (stored === null) return null
  if (!isOfMeasurement) return `wrote or confirmed ${plural(stored, 'stored value')} last`
  return stored > 0 ? 'the stored value' : 'replaced by a newer delivery'
}

function sentText({ records, contract_version: version, tool_version: tool }: DeliveryEntry): string {
  const counts = Object.entries(records ?? {}).map(([kind, count]) => `${count} ${kind}`)
  return [
    ...counts,
    ...(version === null ? [] : [`contract version ${version}`]),
    ...(tool === null ? [] : [tool]),
  ].join(', ')
}
