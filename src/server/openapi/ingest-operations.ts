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
    summary: 'Apply an envelope completely or not at all',
    tags: ['ingest'],
    security: [{ writer: [] }, {}],
    requestBody: { required: true, content: { 'application/json': { schema: ref('envelope') } } },
    responses: {
      200: jsonResponse('Applied', object({ inserted: naturalNumber, updated: naturalNumber })),
      400: jsonResponse('The body is not an envelope, or one of its records is invalid', refused),
      401: UNAUTHORIZED,
      408: errorResponse('The body did not arrive in time', 'timeout'),
      409: jsonResponse(
        'The schema version is newer than that of the server',
        object({ error: oneOf('schema_version_too_new'), expected: { type: 'integer' }, got: { type: 'integer' } }),
      ),
      413: errorResponse('The body exceeds the limit of the server', 'body_too_large'),
      415: errorResponse(
        'The body is not JSON, or is compressed with another method than gzip',
        'unsupported_media_type',
      ),
    },
  },
  'POST /api/revalidate': {
    operationId: 'revalidate',
    summary: 'Invalidate cached pages',
    tags: ['ingest'],
    security: [{ revalidator: [] }],
    responses: {
      200: jsonResponse('Accepted; this server caches no pages', object({ revalidated: { const: true } })),
      401: UNAUTHORIZED,
      503: errorResponse('No token is configured, or the server is shutting down', 'not_configured', 'shutting_down'),
    },
  },
}

export const BAD_REQUEST = messageResponse('A query parameter is invalid', 'bad_request')
