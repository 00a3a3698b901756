/** Checks of an envelope's request headers, made before the body is read. */

import type { IncomingHttpHeaders } from 'node:http'

const JSON_TYPE = /^application\/json[ \t]*(?:;[ \t]*charset[ \t]*=[ \t]*(?:utf-8|"utf-8")[ \t]*)?;?$/i

export type Announced =
  | { readonly ok: true; readonly gzip: boolean }
  | { readonly ok: false; readonly reason: 'media_type' | 'encoding' | 'too_large' }

export function announced(headers: IncomingHttpHeaders, maxBytes: number): Announced {
  if (!JSON_TYPE.test(headers['content-type']?.trim() ?? '')) return { ok: false, reason: 'media_type' }
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (encoding !== 'identity' && encoding !== 'gzip') return { ok: false, reason: 'encoding' }
  if (Number(headers['content-length'] ?? 0) > maxBytes) return { ok: false, reason: 'too_large' }
  return { ok: true, gzip: encoding === 'gzip' }
}
