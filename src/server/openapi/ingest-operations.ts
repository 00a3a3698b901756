/** The operations that write: ingest and revalidate. @see contract sections 3 and 4 */

import { explained, failure, json, UNAUTHORIZED, type Operations } from './operation.js'
import { named, object, text, whole, words } from './schema.js'

const refused = {
  anyOf: [
    object({ error: words('malformed'), message: text }),
    object({ error: words('record'), record_index: whole, message: text }),
  ],
}

export const INGEST_OPERATIONS: Operations = {
  'POST /api/ingest': {
    operationId: 'ingest',
    summary: 'Apply an envelope: all of it, or nothing',
    tags: ['ingest'],
    security: [{ writer: [] }, {}],
    requestBody: { required: true, content: { 'application/json': { schema: named('envelope') } } },
    responses: {
      200: json('Applied', object({ inserted: whole, updated: whole })),
      400: json('Not an envelope, or a record of it breaks a rule', refused),
      401: UNAUTHORIZED,
      408: failure('The body did not come to an end', 'timeout'),
      409: json(
        'A newer schema version than the server knows',
        object({ error: words('schema_version_too_new'), expected: { type: 'integer' }, got: { type: 'integer' } }),
      ),
      413: failure('More than the server takes', 'body_too_large'),
      415: failure('Not JSON, or packed otherwise than with gzip', 'unsupported_media_type'),
    },
  },
  'POST /api/revalidate': {
    operationId: 'revalidate',
    summary: 'What a site that caches would forget now',
    tags: ['ingest'],
    security: [{ revalidator: [] }],
    responses: {
      200: json('Nothing was cached', object({ revalidated: { const: true } })),
      401: UNAUTHORIZED,
      503: failure('It has no token for this, or it stops', 'not_configured', 'shutting_down'),
    },
  },
}

export const BAD_REQUEST = explained('A parameter that cannot be read', 'bad_request')
