/** The text formats that the contract and Postgres insist on. */

const FULL_SHA = /^[0-9a-f]{40}$/

// Postgres knows no year 0, no offset of 16 hours or more, and nothing finer than a microsecond.
const RFC_3339 =
  /^(?!0000)(\d{4})-(0[1-9]|1[0-2])-(\d{2})[Tt](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,9})?(?:[Zz]|[+-](?:0\d|1[0-5]):[0-5]\d)$/

/** True for a full commit id as the contract has it: 40 lowercase hex digits. */
export function isFullSha(text: string): boolean {
  return FULL_SHA.test(text)
}

/** True for an RFC 3339 timestamp of a day that exists and that Postgres can hold. */
export function isTimestamp(text: string): boolean {
  const [, year, month, day] = RFC_3339.exec(text) ?? []
  return Number(day) >= 1 && Number(day) <= daysIn(Number(year), Number(month))
}

function daysIn(year: number, month: number): number {
  // Date.UTC reads the years 0 to 99 as 1900 to 1999; 400 years later the calendar is the same.
  return new Date(Date.UTC(year + 400, month, 0)).getUTCDate()
}
