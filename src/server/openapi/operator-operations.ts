/** The operations of the operator API. They do the same as the commands of the command line, on one state. */

import { BAD_REQUEST } from './ingest-operations.js'
import {
  messageResponse,
  errorResponse,
  pathParameter,
  queryParameter,
  jsonResponse,
  UNAUTHORIZED,
  type Operation,
  type Operations,
  integer,
  array,
  ref,
  object,
  string,
  naturalNumber,
} from './builders.js'

const bytes = { 'application/octet-stream': { schema: {} } }
const inBucket = [
  pathParameter('bucket', 'Name of the bucket'),
  pathParameter('key', 'Key of the object: parts separated by slashes, each percent-encoded'),
]
const noBucket = messageResponse('The bucket does not exist', 'not_found')
const noTarget = messageResponse('The target does not exist', 'not_found')
const tooLarge = errorResponse('The body exceeds the limit of the server', 'body_too_large')
const timeout = errorResponse('The body did not arrive in time', 'timeout')
const unsupported = errorResponse('The body has another media type, or is compressed', 'unsupported_media_type')
const problems = ref('problems')

/** Adds the security, tag and failures that all operator routes share. */
function operatorOperation(operation: Omit<Operation, 'tags' | 'security'>): Operation {
  const responses = { ...operation.responses, 401: UNAUTHORIZED, 500: damaged, 503: unavailableOrStopping }
  return { ...operation, responses, tags: ['operate'], security: [{ operator: [] }] }
}

const damaged = jsonResponse('The state is damaged or has another version, or an internal error occurred', {
  anyOf: [
    object({ error: { enum: ['state_corrupt', 'state_version'] }, message: string }),
    object({ error: { const: 'internal' } }),
  ],
})

const unavailableOrStopping = jsonResponse('A bucket or the state cannot be reached, or the server is shutting down', {
  anyOf: [
    object({ error: { enum: ['storage_failed', 'storage_denied', 'state_conflict'] }, message: string }),
    object({ error: { const: 'shutting_down' } }),
  ],
})

export const OPERATOR_OPERATIONS: Operations = {
  'GET /storage/buckets': operatorOperation({
    operationId: 'listBuckets',
    summary: 'List buckets and the targets that write to them',
    responses: { 200: jsonResponse('Buckets', object({ buckets: array(ref('bucket')) })) },
  }),
  'POST /storage/buckets': operatorOperation({
    operationId: 'addBucket',
    summary: 'Add a bucket and create its folder',
    requestBody: {
      required: true,
      description: 'The root is a folder on the server, s3://BUCKET/PREFIX, or memory:',
      content: { 'application/json': { schema: object({ name: string, root: string }) } },
    },
    responses: {
      201: {
        ...jsonResponse('Added', object({ bucket: ref('bucket') })),
        headers: { Location: { schema: string, description: 'URL of the bucket, for DELETE' } },
      },
      400: messageResponse('The body is not such an object, or its name or root is invalid', 'bad_request'),
      408: timeout,
      409: messageResponse('A bucket of that name exists', 'already_exists'),
      413: tooLarge,
      415: unsupported,
    },
  }),
  'DELETE /storage/buckets/:bucket': operatorOperation({
    operationId: 'removeBucket',
    summary: 'Remove a bucket without deleting its objects',
    parameters: [pathParameter('bucket', 'Name of the bucket')],
    responses: {
      204: { description: 'Removed' },
      403: messageResponse('The buckets primary and rescue cannot be removed', 'protected'),
      404: noBucket,
      409: messageResponse('A target uses the bucket', 'in_use'),
    },
  }),
  'GET /storage/buckets/:bucket/objects/*': operatorOperation({
    operationId: 'getObject',
    summary: 'Get an object, from the bucket rescue if its bucket fails or lacks it',
    parameters: inBucket,
    responses: {
      200: {
        description: 'The object',
        content: bytes,
        headers: {
          'X-Bucket-Asked': { schema: string },
          'X-Bucket-Answered': { schema: string },
          'X-Bucket-Rescued': { schema: { enum: ['true', 'false'] } },
        },
      },
      400: messageResponse('The key is invalid, or the object exceeds the limit of a body', 'bad_request'),
      404: messageResponse('Neither the bucket nor rescue has the object, or the bucket does not exist', 'not_found'),
    },
  }),
  'PUT /storage/buckets/:bucket/objects/*': operatorOperation({
    operationId: 'putObject',
    summary: 'Store an object',
    parameters: inBucket,
    requestBody: { required: true, content: bytes },
    responses: {
      200: jsonResponse('Stored', object({ bucket: string, key: string, bytes: naturalNumber })),
      400: messageResponse('The key is invalid', 'bad_request'),
      404: noBucket,
      408: timeout,
      413: tooLarge,
      415: unsupported,
    },
  }),
  'GET /storage/errors': operatorOperation({
    operationId: 'listErrors',
    summary: 'List failed operations, newest first',
    parameters: [
      queryParameter('target', string, 'Name of a target or bucket'),
      queryParameter('since', string, 'An age such as 90m, 12h or 30d, or a time in RFC 3339'),
      queryParameter('limit', integer, 'Maximum number of events, 1 to 1000; default 50'),
    ],
    responses: {
      200: jsonResponse(
        'Events, and messages about journal objects that cannot be read',
        object({ events: array(ref('event')), problems }),
      ),
      400: BAD_REQUEST,
    },
  }),
  'POST /storage/errors/flush': operatorOperation({
    operationId: 'flushErrors',
    summary: 'Write the events that are still in memory to the journal',
    responses: { 200: jsonResponse('Number of events written', object({ flushed: naturalNumber })) },
  }),
  'POST /storage/errors/compact': operatorOperation({
    operationId: 'compactErrors',
    summary: 'Merge the objects of the journal and drop old events',
    responses: {
      200: jsonResponse(
        'Size of the journal before and after',
        object({ before: ref('journal_size'), after: ref('journal_size') }),
      ),
    },
  }),
  'GET /storage/bucket-health': operatorOperation({
    operationId: 'bucketHealth',
    summary: 'Recent health of buckets and targets',
    parameters: [queryParameter('minutes', integer, 'Errors of this many minutes count, 1 to 43200; default 5')],
    responses: {
      200: jsonResponse('Sorted by name', object({ minutes: naturalNumber, health: array(ref('health')), problems })),
      400: BAD_REQUEST,
    },
  }),
  'GET /targets': operatorOperation({
    operationId: 'listTargets',
    summary: 'List registered targets with their undelivered records and last error, without contacting them',
    responses: {
      200: jsonResponse(
        'Sorted by name',
        object({ targets: array(ref('target')), unregistered: array(ref('unregistered_target')), problems }),
      ),
    },
  }),
  'GET /promotions': operatorOperation({
    operationId: 'listPromotions',
    summary: 'List promoted write settings, newest first for each target',
    parameters: [queryParameter('target', string, 'Name of a target')],
    responses: {
      200: jsonResponse('Promotions', object({ promotions: array(ref('target_promotion')) })),
      400: BAD_REQUEST,
      404: noTarget,
    },
  }),
}
