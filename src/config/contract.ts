/** The contract version that a user selects for the files of a command. */

import { CONTRACTS } from '../contract/kinds.js'

/** The values of `--contract`. With `auto`, the version of each file is detected. */
export const CONTRACT_CHOICES: readonly string[] = ['auto', ...[...CONTRACTS.keys()].map(String)]

/** `contract` is one of `CONTRACT_CHOICES`, because the flag accepts nothing else. */
export type ContractFlags = { readonly contract?: string }

/** @returns undefined for `auto` */
export function pinnedVersion({ contract = 'auto' }: ContractFlags): number | undefined {
  return contract === 'auto' ? undefined : Number(contract)
}
