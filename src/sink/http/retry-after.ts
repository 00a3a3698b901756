/** How long a server asks to be let alone. */

/**
 * @param value of a `Retry-After` header: seconds or an HTTP date (RFC 9110, section 10.2.3)
 * @param now in milliseconds since 1970
 * @returns milliseconds from now on; undefined when there is none or it cannot be read
 */
export function retryAfterMs(value: string | undefined, now: number): number | undefined {
  const text = value?.trim() ?? ''
  if (/^\d+$/.test(text)) return Number(text) * 1000
  // Only what looks like a date: Date.parse takes far more.
  if (!/^[A-Z][a-z]{2,8},? .*\d{2}:\d{2}:\d{2}/.test(text)) return undefined
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
