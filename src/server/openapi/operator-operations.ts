/** The operations of the operator API. They do the same as the commands of the command line, on one state. */

import { BAD_REQUEST } from './ingest-operations.js'
import {
  explained,
  failure,
  inPath,
  inQuery,
  json,
  UNAUTHORIZED,
  type Operation,
  type Operations,
} from './operation.js'
import { list, named, object, text, whole } from './schema.js'

const count = { type: 'integer' }
const bytes = { 'application/octet-stream': { schema: {} } }
const inBucket = [inPath('bucket', 'Its name'), inPath('key', 'Names with / between them, each percent-encoded')]
const noBucket = explained('There is none', 'not_found')
const noTarget = explained('There is no such target', 'not_found')
const tooLarge = failure('More than the server takes', 'body_too_large')
const timeout = failure('The body did not come to an end', 'timeout')
const unsupported = failure('Not of that type, or packed', 'unsupported_media_type')
const problems = named('problems')

/** Adds the security, tag and failures that all operator routes share. */
function forOperators(operation: Omit<Operation, 'tags' | 'security'>): Operation {
  const responses = { ...operation.responses, 401: UNAUTHORIZED, 500: damaged, 503: unavailableOrStopping }
  return { ...operation, responses, tags: ['operate'], security: [{ operator: [] }] }
}

const damaged = json('The state is damaged or of a newer version, or something is wrong here', {
  anyOf: [
    object({ error: { enum: ['state_corrupt', 'state_version'] }, message: text }),
    object({ error: { const: 'internal' } }),
  ],
})

const unavailableOrStopping = json('A bucket, or the state, cannot be reached; or the server stops', {
  anyOf: [
    object({ error: { enum: ['storage_failed', 'storage_denied', 'state_conflict'] }, message: text }),
    object({ error: { const: 'shutting_down' } }),
  ],
})

export const OPERATOR_OPERATIONS: Operations = {
  'GET /storage/buckets': forOperators({
    operationId: 'listBuckets',
    summary: 'Every bucket, and who writes to it',
    responses: { 200: json('Buckets', object({ buckets: list(named('bucket')) })) },
  }),
  'POST /storage/buckets': forOperators({
    operationId: 'addBucket',
    summary: 'Add a bucket; its folder is made',
    requestBody: {
      required: true,
      description: 'The root is a folder of the server, s3://BUCKET/PREFIX, or memory:',
      content: { 'application/json': { schema: object({ name: text, root: text }) } },
    },
    responses: {
      201: {
        ...json('Added', object({ bucket: named('bucket') })),
        headers: { Location: { schema: text, description: 'What to delete it by' } },
      },
      400: explained('Not such an object, no name, an empty root, or none that there is', 'bad_request'),
      408: timeout,
      409: explained('There is one of that name', 'already_exists'),
      413: tooLarge,
      415: unsupported,
    },
  }),
  'DELETE /storage/buckets/:bucket': forOperators({
    operationId: 'removeBucket',
    summary: 'Remove a bucket; its objects stay where they are',
    parameters: [inPath('bucket', 'Its name')],
    responses: {
      204: { description: 'Removed' },
      403: explained('primary and rescue stay', 'protected'),
      404: noBucket,
      409: explained('A target writes to it', 'in_use'),
    },
  }),
  'GET /storage/buckets/:bucket/objects/*': forOperators({
    operationId: 'getObject',
    summary: 'An object; what its bucket misses or fails with, rescue is asked for',
    parameters: inBucket,
    responses: {
      200: {
        description: 'The object',
        content: bytes,
        headers: {
          'X-Bucket-Asked': { schema: text },
          'X-Bucket-Answered': { schema: text },
          'X-Bucket-Rescued': { schema: { enum: ['true', 'false'] } },
        },
      },
      400: explained('That cannot be a key', 'bad_request'),
      404: explained('Neither the bucket nor rescue has it, or there is no such bucket', 'not_found'),
    },
  }),
  'PUT /storage/buckets/:bucket/objects/*': forOperators({
    operationId: 'putObject',
    summary: 'Store an object: in this bucket or nowhere',
    parameters: inBucket,
    requestBody: { required: true, content: bytes },
    responses: {
      200: json('Stored', object({ bucket: text, key: text, bytes: whole })),
      400: explained('That cannot be a key', 'bad_request'),
      404: noBucket,
      408: timeout,
      413: tooLarge,
      415: unsupported,
    },
  }),
  'GET /storage/errors': forOperators({
    operationId: 'listErrors',
    summary: 'What failed, the newest first',
    parameters: [
      inQuery('target', text, 'Only of this target or bucket'),
      inQuery('since', text, 'An age such as 90m, 12h or 30d, or a time in RFC 3339'),
      inQuery('limit', count, 'At most so many, 1 to 1000; 50'),
    ],
    responses: {
      200: json('Events, and what of the journal cannot be read', object({ events: list(named('event')), problems })),
      400: BAD_REQUEST,
    },
  }),
  'POST /storage/errors/flush': forOperators({
    operationId: 'flushErrors',
    summary: 'Write down what this server still has in memory',
    responses: { 200: json('How many events', object({ flushed: whole })) },
  }),
  'POST /storage/errors/compact': forOperators({
    operationId: 'compactErrors',
    summary: 'Merge the journal, without what is too old or too much',
    responses: {
      200: json('Its size', object({ before: named('journal_size'), after: named('journal_size') })),
    },
  }),
  'GET /storage/bucket-health': forOperators({
    operationId: 'bucketHealth',
    summary: 'How buckets and targets have been lately',
    parameters: [inQuery('minutes', count, 'How far back errors count, 1 to 43200; 5')],
    responses: {
      200: json('By name', object({ minutes: whole, health: list(named('health')), problems })),
      400: BAD_REQUEST,
    },
  }),
  'GET /targets': forOperators({
    operationId: 'listTargets',
    summary: 'Registered targets: what each lacks, and its last error; none is asked',
    responses: {
      200: json(
        'By name',
        object({ targets: list(named('target')), unregistered: list(named('unregistered_target')), problems }),
      ),
    },
  }),
  'GET /promotions': forOperators({
    operationId: 'listPromotions',
    summary: 'The write settings that were promoted: of each target the newest first',
    parameters: [inQuery('target', text, 'Only of this target')],
    responses: {
      200: json('Promotions', object({ promotions: list(named('target_promotion')) })),
      400: BAD_REQUEST,
      404: noTarget,
    },
  }),
}
