/** Detects the contract version of an ingest service and adapts deliveries to it. */

import { highestIn, lowestIn, versionBit } from '../../contract/version-set.js'
import { IngestError } from '../../errors.js'
import { jsonObject } from '../../http/answer-text.js'
import { newerTargetError, olderTargetError, planDowngrade, type Downgrade } from '../../source/downgrade.js'
import { downgradedDelivery } from '../../source/downgraded-lines.js'
import type { Delivery } from '../../source/delivery.js'
import { RefusedAnswer } from './envelope-answer.js'
import type { HttpAnswer } from '../../http/exchange.js'

/** The route that reports the contract version without querying the database. Servers that ignore `?version` report it, too. */
export const VERSION_ROUTE = '/health?version'

/** Reads the version from the answer to `VERSION_ROUTE`. @returns undefined for a service that does not report it */
export function statedVersion({ status, text }: HttpAnswer): number | undefined {
  if (status !== 200) return undefined
  return positiveInteger(text, 'schema_version')
}

/** Whether the answer to `VERSION_ROUTE` says that the service keeps late deliveries from replacing newer values. */
export function statesOrdering({ status, text }: HttpAnswer): boolean {
  const { store } = (status === 200 ? jsonObject(text) : undefined) ?? {}
  return (store as { ordered?: unknown } | undefined)?.ordered === true
}

/** The version that a service demands when it rejects a newer envelope. @see contract section 3 */
export function expectedVersion(error: unknown): number | undefined {
  const refused = error instanceof IngestError && error.cause instanceof RefusedAnswer ? error.cause : undefined
  return refused?.answer.status === 409 ? positiveInteger(refused.answer.text, 'expected') : undefined
}

function positiveInteger(text: string, member: string): number | undefined {
  try {
    const value = (JSON.parse(text) as Readonly<Record<string, unknown>> | null)?.[member]
    return Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : undefined
  } catch {
    return undefined
  }
}

export type Fitted = { readonly delivery: Delivery; readonly downgrade: Downgrade | undefined }

/**
 * Adapts a delivery to the contract version of a server.
 * @param server.target the server as named in messages, without secrets
 * @param server.version undefined when the server does not report its version
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
