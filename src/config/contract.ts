/** The contract version that a user selects for the files of a command. */

import { CONTRACTS } from '../contract/kinds.js'

/** The values of `--contract`. With `auto`, the version of each file is detected. */
export const CONTRACT_CHOICES: readonly string[] = ['auto', ...[...CONTRACTS.keys()].map(String)]

/** The flag's value, already validated by its choices. */
export type ContractFlags = { readonly contract?: string }

/** The selected version; undefined when each file has the lowest version that fits all of its records. */
export function pinnedVersion({ contract = 'auto' }: ContractFlags): number | undefined {
  return contract === 'auto' ? undefined : Number(contract)
}
