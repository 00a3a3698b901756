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
  pathParameter('bucket', 'Its name'),
  pathParameter('key', 'Names with / between them, each percent-encoded'),
]
const noBucket = messageResponse('There is none', 'not_found')
const noTarget = messageResponse('There is no such target', 'not_found')
const tooLarge = errorResponse('More than the server takes', 'body_too_large')
const timeout = errorResponse('The body did not come to an end', 'timeout')
const unsupported = errorResponse('Not of that type, or packed', 'unsupported_media_type')
const problems = ref('problems')

/** Adds the security, tag and failures that all operator routes share. */
function operatorOperation(operation: Omit<Operation, 'tags' | 'security'>): Operation {
  const responses = { ...operation.responses, 401: UNAUTHORIZED, 500: damaged, 503: unavailableOrStopping }
  return { ...operation, responses, tags: ['operate'], security: [{ operator: [] }] }
}

const damaged = jsonResponse('The state is damaged or of a newer version, or something is wrong here', {
  anyOf: [
    object({ error: { enum: ['state_corrupt', 'state_version'] }, message: string }),
    object({ error: { const: 'internal' } }),
  ],
})

const unavailableOrStopping = jsonResponse('A bucket, or the state, cannot be reached; or the server stops', {
  anyOf: [
    object({ error: { enum: ['storage_failed', 'storage_denied', 'state_conflict'] }, message: string }),
    object({ error: { const: 'shutting_down' } }),
  ],
})

export const OPERATOR_OPERATIONS: Operations = {
  'GET /storage/buckets': operatorOperation({
    operationId: 'listBuckets',
    summary: 'Every bucket, and who writes to it',
    responses: { 200: jsonResponse('Buckets', object({ buckets: array(ref('bucket')) })) },
  }),
  'POST /storage/buckets': operatorOperation({
    operationId: 'addBucket',
    summary: 'Add a bucket; its folder is made',
    requestBody: {
      required: true,
      description: 'The root is a folder of the server, s3://BUCKET/PREFIX, or memory:',
      content: { 'application/json': { schema: object({ name: string, root: string }) } },
    },
    responses: {
      201: {
        ...jsonResponse('Added', object({ bucket: ref('bucket') })),
        headers: { Location: { schema: string, description: 'What to delete it by' } },
      },
      400: messageResponse('Not such an object, no name, an empty root, or none that there is', 'bad_request'),
      408: timeout,
      409: messageResponse('There is one of that name', 'already_exists'),
      413: tooLarge,
      415: unsupported,
    },
  }),
  'DELETE /storage/buckets/:bucket': operatorOperation({
    operationId: 'removeBucket',
    summary: 'Remove a bucket; its objects stay where they are',
    parameters: [pathParameter('bucket', 'Its name')],
    responses: {
      204: { description: 'Removed' },
      403: messageResponse('primary and rescue stay', 'protected'),
      404: noBucket,
      409: messageResponse('A target writes to it', 'in_use'),
    },
  }),
  'GET /storage/buckets/:bucket/objects/*': operatorOperation({
    operationId: 'getObject',
    summary: 'An object; what its bucket misses or fails with, rescue is asked for',
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
      400: messageResponse('That cannot be a key', 'bad_request'),
      404: messageResponse('Neither the bucket nor rescue has it, or there is no such bucket', 'not_found'),
    },
  }),
  'PUT /storage/buckets/:bucket/objects/*': operatorOperation({
    operationId: 'putObject',
    summary: 'Store an object: in this bucket or nowhere',
    parameters: inBucket,
    requestBody: { required: true, content: bytes },
    responses: {
      200: jsonResponse('Stored', object({ bucket: string, key: string, bytes: naturalNumber })),
      400: messageResponse('That cannot be a key', 'bad_request'),
      404: noBucket,
      408: timeout,
      413: tooLarge,
      415: unsupported,
    },
  }),
  'GET /storage/errors': operatorOperation({
    operationId: 'listErrors',
    summary: 'What failed, the newest first',
    parameters: [
      queryParameter('target', string, 'Only of this target or bucket'),
      queryParameter('since', string, 'An age such as 90m, 12h or 30d, or a time in RFC 3339'),
      queryParameter('limit', integer, 'At most so many, 1 to 1000; 50'),
    ],
    responses: {
      200: jsonResponse(
        'Events, and what of the journal cannot be read',
        object({ events: array(ref('event')), problems }),
      ),
      400: BAD_REQUEST,
    },
  }),
  'POST /storage/errors/flush': operatorOperation({
    operationId: 'flushErrors',
    summary: 'Write down what this server still has in memory',
    responses: { 200: jsonResponse('How many events', object({ flushed: naturalNumber })) },
  }),
  'POST /storage/errors/compact': operatorOperation({
    operationId: 'compactErrors',
    summary: 'Merge the journal, without what is too old or too much',
    responses: {
      200: jsonResponse('Its size', object({ before: ref('journal_size'), after: ref('journal_size') })),
    },
  }),
  'GET /storage/bucket-health': operatorOperation({
    operationId: 'bucketHealth',
    summary: 'How buckets and targets have been lately',
    parameters: [queryParameter('minutes', integer, 'How far back errors integer, 1 to 43200; 5')],
    responses: {
      200: jsonResponse('By name', object({ minutes: naturalNumber, health: array(ref('health')), problems })),
      400: BAD_REQUEST,
    },
  }),
  'GET /targets': operatorOperation({
    operationId: 'listTargets',
    summary: 'Registered targets: what each lacks, and its last error; none is asked',
    responses: {
      200: jsonResponse(
        'By name',
        object({ targets: array(ref('target')), unregistered: array(ref('unregistered_target')), problems }),
      ),
    },
  }),
  'GET /promotions': operatorOperation({
    operationId: 'listPromotions',
    summary: 'The write settings that were promoted: of each target the newest first',
    parameters: [queryParameter('target', string, 'Only of this target')],
    responses: {
      200: jsonResponse('Promotions', object({ promotions: array(ref('target_promotion')) })),
      400: BAD_REQUEST,
      404: noTarget,
    },
  }),
}
