/** Sets of contract versions as bit masks, and the versions that a record fits. */

import { CONTRACTS, contractOf, kindIn, type Kind } from './kinds.js'

/** A set of contract versions: bit `v - 1` is set when the set contains version `v`. */
export type VersionSet = number

export function versionBit(version: number): VersionSet {
  return 1 << (version - 1)
}

export const ALL_VERSIONS: VersionSet = [...CONTRACTS.keys()].reduce((set, version) => set | versionBit(version), 0)

/** The versions of a set, oldest first. */
export function versionsIn(set: VersionSet): readonly number[] {
  return [...CONTRACTS.keys()].filter(version => (set & versionBit(version)) !== 0)
}

/** The oldest version of a non-empty set. */
export function lowestIn(set: VersionSet): number {
  return 32 - Math.clz32(set & -set)
}

/** The newest version of a non-empty set. */
export function highestIn(set: VersionSet): number {
  return 32 - Math.clz32(set)
}

/**
 * The versions that are possible for a record, judged by the names of its fields only. A record of a version has all
 * required fields of that version and no field that a later version added.
 * @param has whether the record has a field, null included
 */
export function versionsFitting(kind: Kind, has: (field: string) => boolean): VersionSet {
  let set = 0
  for (const version of CONTRACTS.keys()) if (findMisfit(version, kind, has) === undefined) set |= versionBit(version)
  return set
}

/** The first field because of which a record does not fit a version: the record lacks it, or a later version added it. */
export type Misfit = { readonly field: string; readonly isMissing: boolean }

export function findMisfit(version: number, kind: Kind, has: (field: string) => boolean): Misfit | undefined {
  for (const { name, since, optional } of kind.fields) {
    // Fields of the first version are part of every version, so they do not exclude any.
    if (since === 1) continue
    if (since > version && has(name)) return { field: name, isMissing: false }
    if (since <= version && !optional && !has(name)) return { field: name, isMissing: true }
  }
  return undefined
}

/**
 * The versions that fit all records of a file: its own version, and each later one in which the kinds of the file have
 * the same fields.
 * @param lowest the file's version @param counts its records of each kind, by kind name
 */
export function versionsAlike(lowest: number, counts: ReadonlyMap<string, number>): VersionSet {
  const kinds = contractOf(lowest).kinds.filter(({ kind }) => (counts.get(kind) ?? 0) > 0)
  return [...CONTRACTS.keys()]
    .filter(version => version >= lowest && kinds.every(kind => kindIn(version, kind) === kind))
    .reduce((set, version) => set | versionBit(version), 0)
}
