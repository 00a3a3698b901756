/** What went wrong, in words. */

export function messageOf(error: unknown): string {
  // What browsers say when nobody answers differs, and helps nobody.
  if (error instanceof TypeError) return 'the server does not answer'
  return error instanceof Error ? error.message : String(error)
}
