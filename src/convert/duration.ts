/** Exact durations. The times of tools are decimal numbers in various units; doubles would change their last digits. */

/** A number that is not negative, as a fraction of whole numbers. */
export type Ratio = { readonly numerator: bigint; readonly denominator: bigint }

/** Nanoseconds in each unit of time that a tool writes. */
export const NS_IN: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  min: 60_000_000_000n,
  hr: 3_600_000_000_000n,
  day: 86_400_000_000_000n,
}

const DECIMAL = /^(\d{1,400})(?:\.(\d{1,400}))?(?:[eE]([+-]?\d{1,9}))?$/
/** Numbers from ten to this power on are refused, and numbers below its reciprocal are zero, because neither is a duration. */
const MAX_POWER = 400

/** @returns the exact value of a decimal number as JSON writes it; undefined for other texts and negative numbers */
export function parseDecimal(text: string): Ratio | undefined {
  const match = DECIMAL.exec(text)
  if (match === null) return undefined
  const [, whole = '', fraction = '', exponent = '0'] = match
  const digits = BigInt(whole + fraction)
  const power = Number(exponent) - fraction.length
  if (digits === 0n || power < -2 * MAX_POWER) return { numerator: 0n, denominator: 1n }
  if (power > MAX_POWER) return undefined
  return power < 0
    ? { numerator: digits, denominator: 10n ** BigInt(-power) }
    : { numerator: digits * 10n ** BigInt(power), denominator: 1n }
}

export function multiply({ numerator, denominator }: Ratio, factor: bigint): Ratio {
  return { numerator: numerator * factor, denominator }
}

export function divide(one: Ratio, other: Ratio): Ratio {
  return { numerator: one.numerator * other.denominator, denominator: one.denominator * other.numerator }
}

/** The nearest whole number. A half is rounded up. */
export function round({ numerator, denominator }: Ratio): bigint {
  return (2n * numerator + denominator) / (2n * denominator)
}

export function isWhole({ numerator, denominator }: Ratio): boolean {
  return numerator % denominator === 0n
}
