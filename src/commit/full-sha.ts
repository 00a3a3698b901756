/** Recognises full commit ids. */

const FULL_SHA = /^[0-9a-f]{40}$/

/** Whether a text is a full commit id as the contract defines it: 40 lowercase hex digits. */
export function isFullSha(text: string): boolean {
  return FULL_SHA.test(text)
}
