/** Parses the bytes of one JSON text. Bytes that are not valid UTF-8 are refused. */

import { isUtf8 } from 'node:buffer'
import { MAX_BODY_DEPTH, parseExact, type ExactOptions, type ExactResult } from './exact-json.js'

export type BodyResult = ExactResult | { readonly ok: false; readonly code: 'invalid_utf8'; readonly message: string }

/**
 * Parses one JSON text with `parseExact`.
 * @param bytes a whole request body, or one line without its line feed
 * @see contract section 3
 */
export function readBody(bytes: Buffer, options: ExactOptions = { maxDepth: MAX_BODY_DEPTH }): BodyResult {
  if (!isUtf8(bytes)) return { ok: false, code: 'invalid_utf8', message: 'is not valid UTF-8' }
  return parseExact(bytes.toString('utf8'), options)
}
