/** How long a server asks to be let alone. */

const WITH_ZONE = /^[A-Z][a-z]{2,8}, .* \d{2}:\d{2}:\d{2} GMT$/
const ASCTIME = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/

/**
 * @param value of a `Retry-After` header: seconds or an HTTP date (RFC 9110, section 10.2.3)
 * @param now in milliseconds since 1970
 * @returns milliseconds from now on; undefined when there is none or it cannot be read
 */
export function retryAfterMs(value: string | undefined, now: number): number | undefined {
  const text = value?.trim() ?? ''
  if (/^\d+$/.test(text)) return Number(text) * 1000
  // Only the forms of HTTP: Date.parse takes far more, and in the zone of this machine.
  const date = WITH_ZONE.test(text) ? Date.parse(text) : ASCTIME.test(text) ? Date.parse(`${text} GMT`) : NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
