/** Looks up contract versions and kinds. `versions.ts` defines the versions as data. */

import type { Contract, Field, Kind } from './contract.js'
import { VERSIONS } from './versions.js'

export type { Contract, Field, FieldType, Kind } from './contract.js'
export { SCHEMA_VERSION } from './versions.js'

/** Every supported contract version by its number, oldest first. */
export const CONTRACTS: ReadonlyMap<number, Contract> = new Map(VERSIONS.map(contract => [contract.version, contract]))

/**
 * The newest contract version. Its kinds have the fields of all versions, so one record layout serves every version.
 */
export const CONTRACT: Contract = VERSIONS.at(-1)!

/**
 * The contract of a version.
 * @throws when the version is not supported
 */
export function contractOf(version: number): Contract {
  const contract = CONTRACTS.get(version)
  if (contract === undefined) throw new Error(`no contract version ${version}`)
  return contract
}

/** The kind of the same name in another contract version. */
export function kindIn(version: number, kind: Kind): Kind {
  return contractOf(version).kinds[CONTRACT.kinds.findIndex(({ kind: name }) => name === kind.kind)]!
}

/** The dimensions of a kind in hash order. */
export function dimensionsOf(kind: Kind): readonly Field[] {
  return kind.fields.filter(field => field.dimension)
}
