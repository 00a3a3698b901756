/** The operations that write, except those of the operator. @see contract sections 3 and 4 */

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
  pathParameter,
  strings,
  type JsonBody,
  type Response,
} from './builders.js'
import type { JsonSchema } from '../../contract/schema.js'

const refused = {
  anyOf: [
    object({ error: oneOf('malformed'), message: string }),
    object({ error: oneOf('record'), record_index: naturalNumber, message: string }),
  ],
}

const WRITER_OR_OPERATOR = [{ writer: [] }, { operator: [] }, {}]

const accepted = object({ accepted: ref('accepted_change') })

const acceptedFailures: Readonly<Record<string, Response>> = {
  400: messageResponse('The body has another shape, or a text is too long', 'bad_request'),
  401: UNAUTHORIZED,
  404: messageResponse('The commit or the accepted change is not stored', 'not_found'),
  408: errorResponse('The body did not arrive in time', 'timeout'),
  409: messageResponse('The database of the server cannot keep accepted changes', 'not_supported'),
  413: errorResponse('The body exceeds 64 KiB', 'body_too_large'),
  415: errorResponse('The body is not JSON, or is compressed', 'unsupported_media_type'),
}

function jsonBody(schema: JsonSchema): JsonBody {
  return { required: true, content: { 'application/json': { schema } } }
}

export const INGEST_OPERATIONS: Operations = {
  'POST /api/accepted-changes': {
    operationId: 'accept_change',
    summary: 'Record that the change of a commit is known; a repetition changes nothing',
    tags: ['ingest'],
    security: WRITER_OR_OPERATOR,
    requestBody: jsonBody({
      ...object({ commit: string, series: strings, note: string, by: string }),
      required: ['commit', 'note', 'by'],
    }),
    responses: {
      200: jsonResponse('The same is accepted already', accepted),
      201: jsonResponse('Accepted', accepted),
      ...acceptedFailures,
    },
  },
  'POST /api/accepted-changes/:id/withdraw': {
    operationId: 'withdraw_accepted_change',
    summary: 'Withdraw an accepted change; the first withdrawal stays',
    tags: ['ingest'],
    security: WRITER_OR_OPERATOR,
    parameters: [pathParameter('id', 'Id of the accepted change')],
    requestBody: jsonBody(object({ by: string })),
    responses: { 200: jsonResponse('Withdrawn', accepted), ...acceptedFailures },
  },
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
