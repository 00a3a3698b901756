/** The contract version of an ingest service, and a delivery as that version has it. */

import { highestIn, lowestIn, versionBit } from '../../contract/version-set.js'
import { IngestError } from '../../errors.js'
import { newerTargetError, olderTargetError, planDowngrade, type Downgrade } from '../downgrade.js'
import { downgradedDelivery } from '../downgraded-lines.js'
import type { Delivery } from '../sink.js'
import { RefusedAnswer } from './envelope-answer.js'
import type { HttpAnswer } from './exchange.js'

/** The service's own statement, made without a look at its store; servers that do not know `version` state it, too. */
export const VERSION_ROUTE = '/health?version'

/** @returns undefined for a service that does not state its version */
export function statedVersion({ status, text }: HttpAnswer): number | undefined {
  if (status !== 200) return undefined
  return countIn(text, 'schema_version')
}

/** The version that a service asks for when it refuses a newer envelope. @see contract section 3 */
export function expectedVersion(error: unknown): number | undefined {
  const refused = error instanceof IngestError && error.cause instanceof RefusedAnswer ? error.cause : undefined
  return refused?.answer.status === 409 ? countIn(refused.answer.text, 'expected') : undefined
}

function countIn(text: string, member: string): number | undefined {
  try {
    const value = (JSON.parse(text) as Readonly<Record<string, unknown>> | null)?.[member]
    return Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : undefined
  } catch {
    return undefined
  }
}

export type Fitted = { readonly delivery: Delivery; readonly downgrade: Downgrade | undefined }

/**
 * The delivery as an envelope of the server's version states it.
 * @param target the server in words, without secrets @param version undefined when the server does not state it
 * @throws {IngestError} `schema_version` when the records are older than the server, or newer and may not be downgraded
 */
export async function fitToServer(
  delivery: Delivery,
  { target, version = highestIn(delivery.fits) }: { readonly target: string; readonly version: number | undefined },
): Promise<Fitted> {
  const stated = { ...delivery, run: { ...delivery.run, schema_version: version } }
  if ((delivery.fits & versionBit(version)) !== 0) return { delivery: stated, downgrade: undefined }
  if (version > lowestIn(delivery.fits)) throw newerTargetError({ target, version, delivery })
  if (delivery.mayDowngrade !== true) throw olderTargetError({ target, version, delivery })
  const downgrade = await planDowngrade(delivery, version)
  return { delivery: downgradedDelivery(stated, downgrade), downgrade }
}
