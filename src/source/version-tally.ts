/** Counts the contract versions that the records of a file fit, and chooses the version of a file with mixed versions. */

import { CONTRACTS, type Kind } from '../contract/kinds.js'
import { pointerTo } from '../contract/problem.js'
import { ALL_VERSIONS, findMisfit, versionBit, type Misfit, type VersionSet } from '../contract/version-set.js'
import { ABSENT, STRIDE, type RecordBatch } from './record-batch.js'
import type { Rejection } from './rejection.js'

/** The records of a file that fit the same versions. */
type Group = { readonly fits: VersionSet; readonly firstLine: number; records: number }

export class VersionTally {
  /** The versions that fit every record so far; empty for a file of mixed versions. */
  common: VersionSet = ALL_VERSIONS
  /** Records that fit every version are in no group, because they do not tell the version of the file. */
  readonly #groups = new Map<VersionSet, Group>()

  /** @param linesBefore number of lines that precede the records in their file, for the line numbers in messages */
  constructor(private readonly linesBefore = 0) {}

  /**
   * Counts the records of a batch.
   * @param rejected lines that do not count, because they were rejected for another reason
   */
  note(batch: RecordBatch, rejected: ReadonlySet<number>): void {
    let group: Group | undefined
    for (let row = 0; row < batch.count; row++) {
      const fits = batch.fits[row]!
      if (fits === ALL_VERSIONS || (rejected.size > 0 && rejected.has(batch.lines[row]!))) continue
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

  /** The version that fits the most records; the newest one if several fit equally many. */
  get mostFrequent(): number {
    let [best, most] = [1, -1]
    for (const version of CONTRACTS.keys()) {
      const records = this.#fitting(version).reduce((sum, group) => sum + group.records, 0)
      if (records >= most) [best, most] = [version, records]
    }
    return best
  }

  /** The reason why a record does not belong to a file of the given version. */
  rejectionOf(batch: RecordBatch, row: number, version: number): Pick<Rejection, 'pointer' | 'code' | 'message'> {
    const { field, isMissing } = misfitOfRow(batch, row, version)
    const problem = isMissing ? `has no ${field}` : `has ${field}, which version ${version} does not know`
    const firstLine = Math.min(...this.#fitting(version).map(group => group.firstLine)) + this.linesBefore
    const line = batch.lines[row]! + this.linesBefore
    const others = `other lines of this file are version ${version} (the first is line ${firstLine})`
    const code = isMissing ? 'missing_field' : 'unknown_field'
    return { pointer: pointerTo(field), code, message: `line ${line} ${problem}; ${others}` }
  }

  #fitting(version: number): readonly Group[] {
    return [...this.#groups.values()].filter(({ fits }) => (fits & versionBit(version)) !== 0)
  }
}

/**
 * The field that makes a record not fit a version.
 * @param row a record that does not fit `version`
 */
function misfitOfRow(batch: RecordBatch, row: number, version: number): Misfit {
  const kind = batch.kindOf(row)
  const index = (name: string): number => kind.fields.findIndex(field => field.name === name)
  const has = (name: string): boolean => batch.starts[row * STRIDE + index(name)] !== ABSENT
  return findMisfit(version, kind, has) ?? nullMisfit(kind, version)
}

/** In a batch null and absent look the same. When no field explains the misfit, an optional field of a later version is null. */
function nullMisfit(kind: Kind, version: number): Misfit {
  const field = kind.fields.find(({ since, optional }) => since > version && optional)
  if (field === undefined) throw new Error(`a ${kind.kind} does not fit version ${version}, and no field says why`)
  return { field: field.name, isMissing: false }
}
