/** The text format of commit ids. */

const FULL_SHA = /^[0-9a-f]{40}$/

/** True for a full commit id as the contract has it: 40 lowercase hex digits. */
export function isFullSha(text: string): boolean {
  return FULL_SHA.test(text)
}
