/** The gzip comment of an archive object: the generation of its records and their origin, as JSON. */

import { formatOrigin, parseOrigin, type DeliveryOrigin } from '../../contract/delivery-origin.js'
import { formatGeneration, parseGeneration, type Generation } from '../../contract/generation.js'

export type ObjectComment = {
  readonly generation: Generation
  /** Undefined for an object of an earlier version. */
  readonly origin: DeliveryOrigin | undefined
}

/** A retry writes the same comment. */
export function formatObjectComment(generation: Generation, origin: DeliveryOrigin | undefined): string {
  const text = formatGeneration(generation)
  if (origin === undefined) return text
  return `${text.slice(0, -1)},"origin":${formatOrigin({ ...origin, target: undefined })}}`
}

/** @returns undefined when the text has no generation */
export function parseObjectComment(text: string): ObjectComment | undefined {
  const generation = parseGeneration(text)
  if (generation === undefined) return undefined
  const { origin } = JSON.parse(text) as { readonly origin?: unknown }
  return { generation, origin: parseOrigin(JSON.stringify(origin ?? null)) }
}
