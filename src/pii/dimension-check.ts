/** Finds personal data in dimensions, which are never rewritten because ids are hashes of them. */

import type { RunMeta } from '../contract/commit.js'
import { CONTRACT } from '../contract/kinds.js'
import type { RecordBatch } from '../source/record-batch.js'
import type { Warning } from '../source/rejection.js'
import { findPersonalData } from './detect.js'

/** For each kind, the indices of its text dimensions. A commit id is checked elsewhere. */
const DIMENSIONS = CONTRACT.kinds.map(({ fields }) =>
  fields.flatMap(({ type, dimension, name }, index) =>
    type === 'str' && dimension && name !== 'commit_sha' ? [index] : [],
  ),
)

/** Maximum number of different texts that are remembered, so that memory stays flat. */
const MAX_TEXTS = 50_000

type Place = Pick<Warning, 'source' | 'line' | 'pointer'>

/** Collects the different texts of many records, and warns of each text with personal data once. */
export class DimensionCheck {
  readonly #checked = new Set<string>()
  #waiting = new Map<string, Place>()

  /** @param linesBefore number of lines before the source, for the line numbers in warnings */
  collect(batch: RecordBatch, { source, linesBefore = 0 }: { readonly source: string; readonly linesBefore?: number }) {
    for (let row = 0; row < batch.count; row++)
      for (const field of DIMENSIONS[batch.kinds[row]!]!) {
        const text = batch.text(row, field)
        if (text === undefined || this.#checked.has(text) || this.#checked.size >= MAX_TEXTS) continue
        this.#checked.add(text)
        const pointer = `/${batch.kindOf(row).fields[field]!.name}`
        this.#waiting.set(text, { source, line: batch.lines[row]! + linesBefore, pointer })
      }
  }

  /** Warnings about the texts that were collected since the last call. */
  async warnings(): Promise<readonly Warning[]> {
    const texts = [...this.#waiting]
    this.#waiting = new Map()
    const found = await findPersonalData(texts.map(([text]) => text))
    return texts.flatMap(([, place], index) => {
      const rules = [...new Set(found[index]!.map(({ rule }) => rule))]
      if (rules.length === 0) return []
      const message = `${place.pointer} holds personal data (${rules.join(', ')}), which stays because ids depend on it`
      return [{ ...place, code: 'personal_data' as const, message }]
    })
  }
}

/** A warning about the id of a benchmark, which queued records and servers are found by. */
export async function benchmarkWarning({ benchmark_id }: RunMeta): Promise<string | undefined> {
  const [found = []] = await findPersonalData([benchmark_id])
  if (found.length === 0) return undefined
  const rules = [...new Set(found.map(({ rule }) => rule))]
  return `the benchmark id holds personal data (${rules.join(', ')}), which is not changed: give another one with --benchmark-id`
}
