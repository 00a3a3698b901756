/** The contract that this program speaks, looked up by version and by kind. `versions.ts` holds the versions as data. */

import type { Contract, Field, Kind } from './contract.js'
import { VERSIONS } from './versions.js'

export type { Contract, Field, FieldType, Kind } from './contract.js'
export { SCHEMA_VERSION } from './versions.js'

/** Every contract version that this program speaks, by its number, the oldest first. */
export const CONTRACTS: ReadonlyMap<number, Contract> = new Map(VERSIONS.map(contract => [contract.version, contract]))

/** The newest contract: its kinds have the fields of all versions, so one layout of a record serves every version. */
export const CONTRACT: Contract = VERSIONS.at(-1)!

/** @throws when this program does not speak the version */
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
