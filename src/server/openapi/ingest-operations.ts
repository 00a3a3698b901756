/** The operations that write: ingest and revalidate. @see contract sections 3 and 4 */

import {
  messageResponse,
  errorResponse,
  jsonResponse,
  UNAUTHORIZED,
  type Operations,
  ref,
  object,
  string,
  naturalNumber,
  oneOf,
} from './builders.js'

const refused = {
  anyOf: [
    object({ error: oneOf('malformed'), message: string }),
    object({ error: oneOf('record'), record_index: naturalNumber, message: string }),
  ],
}

export const INGEST_OPERATIONS: Operations = {
  'POST /api/ingest': {
    operationId: 'ingest',
    summary: 'Apply an envelope: all of it, or nothing',
    tags: ['ingest'],
    security: [{ writer: [] }, {}],
    requestBody: { required: true, content: { 'application/json': { schema: ref('envelope') } } },
    responses: {
      200: jsonResponse('Applied', object({ inserted: naturalNumber, updated: naturalNumber })),
      400: jsonResponse('Not an envelope, or a record of it breaks a rule', refused),
      401: UNAUTHORIZED,
      408: errorResponse('The body did not come to an end', 'timeout'),
      409: jsonResponse(
        'A newer schema version than the server knows',
        object({ error: oneOf('schema_version_too_new'), expected: { type: 'integer' }, got: { type: 'integer' } }),
      ),
      413: errorResponse('More than the server takes', 'body_too_large'),
      415: errorResponse('Not JSON, or packed otherwise than with gzip', 'unsupported_media_type'),
    },
  },
  'POST /api/revalidate': {
    operationId: 'revalidate',
    summary: 'What a site that caches would forget now',
    tags: ['ingest'],
    security: [{ revalidator: [] }],
    responses: {
      200: jsonResponse('Nothing was cached', object({ revalidated: { const: true } })),
      401: UNAUTHORIZED,
      503: errorResponse('It has no token for this, or it stops', 'not_configured', 'shutting_down'),
    },
  },
}

export const BAD_REQUEST = messageResponse('A parameter that cannot be read', 'bad_request')
