/** Commit times: checks their text and converts them to UTC. */

const RFC_3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.(\d+))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/

/** The years of the dates that git accepts. A commit with another date would be first or last in every chart. */
const FIRST_MS = Date.UTC(1970, 0)
const END_MS = Date.UTC(2100, 0)

/** The rule for a commit's time. Messages put it after the name of the field. */
export const TIMESTAMP_RULE = 'must be an RFC 3339 time from 1970 to 2099, like 2026-01-31T12:00:00+00:00'

/** Whether a text is an RFC 3339 time on an existing day from 1970 to 2099. */
export function isTimestamp(text: string): boolean {
  return utcTimestamp(text) !== undefined
}

/**
 * The same instant in UTC, rounded to microseconds. Databases get times in this form, because Postgres refuses offsets of
 * 16 hours and more, and long fractions.
 * @returns undefined for a text that breaks `TIMESTAMP_RULE`
 */
export function utcTimestamp(text: string): string | undefined {
  const match = RFC_3339.exec(text)
  if (match === null) return undefined
  const startMs = parseSecondMs(match)
  if (startMs === undefined) return undefined
  const micros = parseMicros(match[7])
  const ms = micros < 1_000_000 ? startMs : startMs + 1_000
  if (ms < FIRST_MS || ms >= END_MS) return undefined
  const fraction = micros % 1_000_000 === 0 ? '' : `.${String(micros).padStart(6, '0')}`
  return `${new Date(ms).toISOString().slice(0, 19)}${fraction}Z`
}

/** Milliseconds since 1970 of the whole second; undefined for a day or leap second that does not exist. */
function parseSecondMs(match: RegExpExecArray): number | undefined {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number)
  const date = new Date(Date.UTC(year, month - 1, day))
  if (date.getUTCFullYear() !== year || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined
  const minuteMs = date.getTime() + (hour * 60 + minute - offsetMinutes(match)) * 60_000
  // A leap second is the last second of a day in UTC. Like Postgres, this reads it as the first second of the next day.
  if (second === 60 && !new Date(minuteMs).toISOString().includes('T23:59:')) return undefined
  return minuteMs + second * 1_000
}

function offsetMinutes({ 8: sign, 9: hours = '0', 10: minutes = '0' }: RegExpExecArray): number {
  const size = Number(hours) * 60 + Number(minutes)
  return sign === '-' ? -size : size
}

/**
 * Microseconds from 0 to 1,000,000. Rounded as Postgres does: the fraction is a double, and ties go to the even
 * microsecond.
 */
function parseMicros(digits = '0'): number {
  const exact = Number(`0.${digits}`) * 1_000_000
  const below = Math.floor(exact)
  const rest = exact - below
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below
}
