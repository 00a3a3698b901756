/** Reads the `Retry-After` header. */

const WITH_ZONE = /^[A-Z][a-z]{2,8}, .* \d{2}:\d{2}:\d{2} GMT$/
const ASCTIME = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/

/**
 * Converts a `Retry-After` header into a wait.
 * @param value value of the header: seconds or an HTTP date (RFC 9110, section 10.2.3)
 * @param now current time in milliseconds since 1970
 * @returns milliseconds to wait; undefined when the header is missing or malformed
 */
export function retryAfterMs(value: string | undefined, now: number): number | undefined {
  const text = value?.trim() ?? ''
  if (/^\d+$/.test(text)) return Number(text) * 1000
  // Only HTTP's date formats are accepted, because Date.parse takes many more and assumes the local time zone.
  const date = WITH_ZONE.test(text) ? Date.parse(text) : ASCTIME.test(text) ? Date.parse(`${text} GMT`) : NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
