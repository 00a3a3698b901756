/** Converts errors to messages for the reader. */

export function messageOf(error: unknown): string {
  // fetch fails with a TypeError when the server is unreachable. The browsers' own messages differ and do not help.
  if (error instanceof TypeError) return 'the server does not answer'
  return error instanceof Error ? error.message : String(error)
}
