/** Counts which contract versions the records of a file fit, and finds the version of a file whose records fit none together. */

import { CONTRACTS } from '../contract/kinds.js'
import { ALL_VERSIONS, misfitOf, versionBit, type Misfit, type VersionSet } from '../contract/version-set.js'
import { pointerTo } from '../contract/problem.js'
import { ABSENT, STRIDE, type RecordBatch } from './record-batch.js'
import type { Rejection } from './rejection.js'

type Group = { readonly fits: VersionSet; readonly firstLine: number; records: number }

export class VersionTally {
  /** The versions that fit every record so far; empty for a file of mixed versions. */
  common: VersionSet = ALL_VERSIONS
  /** The records that do not fit all versions, grouped by the versions that they fit. */
  readonly #groups = new Map<VersionSet, Group>()

  note(batch: RecordBatch): void {
    let group: Group | undefined
    for (let row = 0; row < batch.count; row++) {
      const fits = batch.fits[row]!
      if (fits === ALL_VERSIONS) continue
      if (group?.fits !== fits) group = this.#groupOf(fits, batch.lines[row]!)
      group.records++
    }
  }

  #groupOf(fits: VersionSet, firstLine: number): Group {
    const known = this.#groups.get(fits)
    if (known !== undefined) return known
    this.common &= fits
    const group = { fits, firstLine, records: 0 }
    this.#groups.set(fits, group)
    return group
  }

  /** The version that fits the most records that have one; of several such versions the newest. */
  get mostFrequent(): number {
    let [best, most] = [1, -1]
    for (const version of CONTRACTS.keys()) {
      const records = this.#fitting(version).reduce((sum, group) => sum + group.records, 0)
      if (records >= most) [best, most] = [version, records]
    }
    return best
  }

  /** The rejection of a row that `version` does not fit in a file whose other lines have that version. */
  rejectionOf(batch: RecordBatch, row: number, version: number): Pick<Rejection, 'pointer' | 'code' | 'message'> {
    const firstLine = Math.min(...this.#fitting(version).map(group => group.firstLine))
    const kind = batch.kindOf(row)
    const has = (field: string): boolean =>
      batch.starts[row * STRIDE + kind.fields.findIndex(({ name }) => name === field)] !== ABSENT
    const { field, isMissing } = misfitOf(version, kind, has) ?? NULL_FIELD
    const problem = isMissing ? `has no ${field}` : `has ${field}, which version ${version} does not have`
    const others = `other lines of this file are version ${version} (the first is line ${firstLine})`
    const code = isMissing ? 'missing_field' : 'unknown_field'
    return { pointer: pointerTo(field), code, message: `line ${batch.lines[row]!} ${problem}; ${others}` }
  }

  #fitting(version: number): readonly Group[] {
    return [...this.#groups.values()].filter(({ fits }) => (fits & versionBit(version)) !== 0)
  }
}

/** A batch does not tell a later version's field that is null from one that is absent. */
const NULL_FIELD: Misfit = { field: 'a null field', isMissing: false }
