/** The operations that read stored commits, groups and measurements. */

import { CONTRACT } from '../../contract/kinds.js'
import { BAD_REQUEST } from './ingest-operations.js'
import type { JsonSchema } from '../../contract/schema.js'
import {
  errorResponse,
  pathParameter,
  queryParameter,
  jsonResponse,
  type Operations,
  type Response,
  integer,
  array,
  ref,
  object,
  nullable,
  string,
  strings,
  naturalNumber,
  oneOf,
  boolean,
  dateTime,
} from './builders.js'

const kinds = oneOf(...CONTRACT.kinds.map(({ kind }) => kind))
const counts = Object.fromEntries(
  ['commits', ...CONTRACT.kinds.map(({ table }) => table)].map(name => [name, nullable(naturalNumber)]),
)
/** Columns that a group may have. A group has those that its kind has. */
const columns = Object.fromEntries(
  ['dataset', 'dataset_variant', 'scale_factor', 'storage', 'layout'].map(name => [name, nullable(string)]),
)
const group = {
  type: 'object',
  properties: { slug: string, name: string, kind: kinds, ...columns, series: naturalNumber },
  required: ['slug', 'name', 'kind', 'dataset', 'series'],
  additionalProperties: false,
}
const storeKind = oneOf('embedded', 'postgres')
const store = (reachable: boolean) => object({ kind: storeKind, reachable: { const: reachable } })
const missing = errorResponse('There is none', 'not_found')

/** @param version the contract version of the server */
export function readOperations(version: number): Operations {
  return { ...aboutOperations({ const: version }), ...DATA_OPERATIONS }
}

/** The operations whose answers contain the contract version. */
function aboutOperations(version: JsonSchema): Operations {
  return {
    'GET /': {
      operationId: 'about',
      summary: 'The name of this service; for clients that accept text/html, the page',
      tags: ['read'],
      responses: {
        200: jsonResponse('Its name', object({ service: { const: 'vortex-ingest' }, schema_version: version })),
      },
    },
    'GET /health': {
      operationId: 'health',
      summary: 'Whether the store answers, and how much it holds',
      tags: ['read'],
      parameters: [
        queryParameter('version', string, 'With any value: only the contract version, without asking the store'),
      ],
      responses: {
        200: jsonResponse('The store answers, or was not asked', healthy(version)),
        503: unhealthy(version),
      },
    },
  }
}

function healthy(version: JsonSchema): JsonSchema {
  return {
    anyOf: [
      object({
        ...{ status: { const: 'ok' }, schema_version: version, store: store(true) },
        ...{ rows: object(counts), estimated: strings },
      }),
      object({ schema_version: version, store: object({ kind: storeKind }) }),
    ],
  }
}

function unhealthy(version: JsonSchema): Response {
  return jsonResponse('The store does not answer, or the server stops', {
    anyOf: [
      object({
        ...{ error: oneOf('store_unreachable'), status: oneOf('unavailable') },
        ...{ schema_version: version, store: store(false) },
      }),
      object({ error: oneOf('shutting_down') }),
    ],
  })
}

const DATA_OPERATIONS: Operations = {
  'GET /api/groups': {
    operationId: 'groups',
    summary: 'Every group of measurements',
    tags: ['read'],
    responses: { 200: jsonResponse('Groups', object({ groups: array(group) })) },
  },
  'GET /api/group/:slug': {
    operationId: 'group',
    summary: 'What the last commits measured in a group',
    tags: ['read'],
    parameters: [
      pathParameter('slug', 'As /api/groups tells it'),
      queryParameter('n', integer, 'Commits, 1 to 1000; 100'),
    ],
    responses: {
      200: jsonResponse('Commits, the newest first, and their measurements by id', {
        type: 'object',
        properties: {
          ...{ name: string, kind: kinds, ...columns, n: naturalNumber },
          ...{ commits: array(ref('stored_commit')), measurements: array(ref('measurement')) },
        },
        required: ['name', 'kind', 'dataset', 'n', 'commits', 'measurements'],
        additionalProperties: false,
      }),
      400: BAD_REQUEST,
      404: missing,
    },
  },
  'GET /api/measurements': {
    operationId: 'measurements',
    summary: 'The measurements of a commit, page by page, or those with certain ids',
    tags: ['read'],
    parameters: [
      queryParameter('commit', string, 'Required without ids'),
      queryParameter('ids', string, 'In place of commit: at most 5000, with commas between them'),
      queryParameter('kind', kinds, 'Only of this kind'),
      queryParameter('after', string, 'The next of the page before'),
      queryParameter('limit', integer, 'Rows of a page, 1 to 5000; 1000'),
    ],
    responses: {
      200: jsonResponse('Measurements by id', {
        type: 'object',
        properties: { commit: string, measurements: array(ref('measurement')), next: nullable(string) },
        required: ['measurements'],
        additionalProperties: false,
      }),
      400: BAD_REQUEST,
    },
  },
  'GET /api/commits/:sha': {
    operationId: 'commit',
    summary: 'A commit',
    tags: ['read'],
    parameters: [pathParameter('sha', 'Of the commit')],
    responses: { 200: jsonResponse('It', ref('stored_commit')), 404: missing },
  },
  'GET /openapi.json': {
    operationId: 'openapi',
    summary: 'This document',
    tags: ['read'],
    responses: { 200: jsonResponse('OpenAPI 3.1', { type: 'object', required: ['openapi', 'info', 'paths'] }) },
  },
}

/** Routes without a description: the files of the page, whose names change with every build. */
export const NO_OPERATIONS: ReadonlySet<string> = new Set(['GET /page/:name'])

const push = {
  type: 'object',
  properties: {
    ...{ time: dateTime, status: nullable(integer), ms: { type: 'number' }, bytes: naturalNumber, commit: string },
    ...{ records: naturalNumber, inserted: naturalNumber, updated: naturalNumber, error: string },
  },
  required: ['time', 'status', 'ms'],
  additionalProperties: false,
}

const history = {
  type: 'object',
  properties: {
    ...{
      slug: string,
      name: string,
      kind: oneOf(...CONTRACT.kinds.map(({ kind }) => kind)),
      unit: oneOf('ns', 'bytes'),
    },
    ...{ dataset: string, dataset_variant: nullable(string), scale_factor: nullable(string) },
    ...{ storage: nullable(string), layout: nullable(string), dimensions: strings, more: boolean },
    commits: array(object({ sha: string, timestamp: string, message: string, author: string, url: string })),
    series: array({
      ...object({ key: strings, values: array(nullable(integer)), uncompressed_bytes: array(nullable(integer)) }),
      required: ['key', 'values'],
    }),
  },
  required: ['slug', 'name', 'kind', 'unit', 'dataset', 'dimensions', 'commits', 'more', 'series'],
  additionalProperties: false,
}

export const PAGE_OPERATIONS: Operations = {
  'GET /api/history/:slug': {
    operationId: 'history',
    summary: 'What each series of a group measured at the last commits',
    tags: ['read'],
    parameters: [
      pathParameter('slug', 'As /api/groups tells it'),
      queryParameter('n', integer, 'Commits, 1 to 1000; 200'),
    ],
    responses: {
      200: jsonResponse('Commits, the oldest first, and for each series a value at each of them', history),
      400: BAD_REQUEST,
      404: errorResponse('There is none', 'not_found'),
    },
  },
  'GET /api/commits': {
    operationId: 'commits',
    summary: 'The last commits',
    tags: ['read'],
    parameters: [queryParameter('n', integer, 'Commits, 1 to 100; 20')],
    responses: {
      200: jsonResponse('Commits, the newest first', object({ commits: array(ref('stored_commit')) })),
      400: BAD_REQUEST,
    },
  },
  'GET /api/pushes': {
    operationId: 'pushes',
    summary: 'The last envelopes that this server was sent',
    tags: ['read'],
    responses: { 200: jsonResponse('Pushes, the newest first', object({ since: dateTime, pushes: array(push) })) },
  },
}
