/** A complete comparison as JSON (schemas/v1/compare-report.json). Values are strings, to keep every digit. */

import { isRegression, judgedRatio, type SeriesChange } from '../../../analysis/judge.js'
import { MAX_CHANCE } from '../../../analysis/noise-model.js'
import { MIN_RUNTIMES, seriesDimensions, valueFields, type SeriesIdentity } from '../../../analysis/series.js'
import { notes, tally, unitOf } from './words.js'
import type { CompareResult } from '../../../delivery/compare.js'
import type { CommitSummary } from '../../../database/queries/commits.js'
import type { CompareReport } from '../../../reports/compare.js'

export function compareReport(compared: CompareResult, exitCode: number): CompareReport {
  const { base, head, access, changes, datasets, onlyBase, onlyHead, threshold, target } = compared
  return {
    ...{ command: 'compare', exit_code: exitCode, target, verdict: compared.verdict },
    ...{ base: commitFields(base), head: commitFields(head) },
    thresholds: { q: MAX_CHANCE, ratio: threshold, judged: judgedRatio(threshold), runtimes: MIN_RUNTIMES },
    noise: {
      commits: compared.commits,
      controls: compared.controls.map(({ dimension, value }) => `${dimension}=${value}`),
      jobs: compared.groups.map(({ isRemoved, ...group }) => ({ ...group, removed: isRemoved })),
    },
    summary: {
      ...{ series: changes.length, ...tally(changes), regressions: changes.filter(isRegression).length },
      ...{ only_base: onlyBase.length, only_head: onlyHead.length },
    },
    datasets: datasets.map(({ kind, ...dataset }) => ({ kind: kind.kind, ...dataset })),
    series: changes.map(change => changeFields(change)),
    only_base: onlyBase.map(seriesFields),
    only_head: onlyHead.map(seriesFields),
    read: access.map(({ kind, by, tableBytes }) => ({ table: kind.table, by, table_bytes: tableBytes })),
    notes: notes(compared),
  }
}

function commitFields({ sha, timestamp, subject }: CommitSummary): CompareReport['base'] {
  return { sha, timestamp, subject }
}

function changeFields(change: SeriesChange): CompareReport['series'][number] {
  const { kind, base, head, ratio, test, verdict, reason } = change
  return {
    ...seriesFields({ kind, dimensions: head.dimensions }),
    ...{ base: base.value.toString(), head: head.value.toString(), unit: unitOf(change), ratio: ratio ?? null },
    runtimes: base.runtimes && head.runtimes ? [base.runtimes.length, head.runtimes.length] : null,
    test: test === undefined ? null : { ratio: test.ratio, p: test.p, q: test.q, detectable: test.detectable },
    ...{ verdict, reason: reason ?? null, regression: isRegression(change) },
    platforms: [base.platform, head.platform],
    uncompressed_bytes: valueFields(kind).sized
      ? [base.uncompressed?.toString() ?? null, head.uncompressed?.toString() ?? null]
      : null,
  }
}

/** The kind and the dimensions of a series by name. */
export function seriesFields({ kind, dimensions }: SeriesIdentity): CompareReport['only_base'][number] {
  const named = seriesDimensions(kind).map(({ name, type }, index) => {
    const value = dimensions[index] ?? null
    return [name, value !== null && type === 'i32' ? Number(value) : value] as const
  })
  return { kind: kind.kind, dimensions: Object.fromEntries(named) }
}
