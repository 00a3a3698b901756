/** Generations: which of two deliveries holds the newer values of a measurement. */

import { asciiJson } from './delivery-origin.js'
import { utcTimestamp } from './timestamp.js'

/** When records were read from their source, and which attempt of which CI run produced them. */
export type Generation = {
  /** When the records began to be read, RFC 3339. */
  readonly producedAt: string
  /** Undefined outside of CI, and for a CI service that does not number its runs. */
  readonly ci?: CiAttempt | undefined
  /** Whether the records replace on purpose what was applied before them, whatever its generation. Default: false. */
  readonly isForced?: boolean | undefined
}

/**
 * One attempt of a CI run. Attempts of one producer are ordered by run, then by attempt, whatever the clocks of their
 * machines say. All other generations are ordered by `producedAt`.
 */
export type CiAttempt = {
  /** The CI service and the project whose runs are numbered together, such as `GitHub Actions https://github.com/o/r`. */
  readonly producer: string
  /** Number of the run. It grows with every run of the producer. */
  readonly run: number
  /** Number of the attempt. It grows with every attempt of the run. */
  readonly attempt: number
}

/** Whether a generation is newer than another, by the rule of `CiAttempt`. */
export function isNewerGeneration(one: Generation, other: Generation): boolean {
  if (one.ci === undefined || one.ci.producer !== other.ci?.producer) return one.producedAt > other.producedAt
  if (one.ci.run !== other.ci.run) return one.ci.run > other.ci.run
  if (one.ci.attempt !== other.ci.attempt) return one.ci.attempt > other.ci.attempt
  return one.producedAt > other.producedAt
}

/** Request header with the generation of the records. */
export const GENERATION_HEADER = 'vortex-ingest-generation'

/** Response header. Its value is `true` when the server orders deliveries. */
export const ORDERED_HEADER = 'vortex-ingest-ordered'

/** Response header: the number of records that were left out because a newer delivery wrote other values. */
export const SUPERSEDED_HEADER = 'vortex-ingest-superseded'

const MAX_PRODUCER_LENGTH = 4_000

/** The value of `GENERATION_HEADER`: JSON in ASCII. */
export function formatGeneration({ producedAt, ci, isForced }: Generation): string {
  return asciiJson({ producedAt, ci, ...(isForced === true && { forced: true }) })
}

/** Reads a generation. @returns undefined when the text is not one */
export function parseGeneration(text: string): Generation | undefined {
  try {
    return generationFrom(JSON.parse(text))
  } catch {
    return undefined
  }
}

function generationFrom(value: unknown): Generation | undefined {
  const { producedAt: time, ci, forced = false } = toFields(value)
  const producedAt = typeof time === 'string' ? utcTimestamp(time) : undefined
  if (producedAt === undefined || typeof forced !== 'boolean') return undefined
  if (forced) return { producedAt, isForced: true }
  if (ci === undefined) return { producedAt }
  const { producer, run, attempt } = toFields(ci)
  if (typeof producer !== 'string' || producer.length > MAX_PRODUCER_LENGTH || !/^\P{Cc}+$/u.test(producer))
    return undefined
  return isCount(run) && isCount(attempt) ? { producedAt, ci: { producer, run, attempt } } : undefined
}

function toFields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
