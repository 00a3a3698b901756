/** The operations that read stored commits, groups and measurements. */

import { CONTRACT } from '../../contract/kinds.js'
import { BAD_REQUEST } from './ingest-operations.js'
import type { JsonSchema } from '../../contract/schema.js'
import { failure, inPath, inQuery, json, type Operations, type Response } from './operation.js'
import { list, named, object, orNull, text, texts, whole, words } from './schema.js'

const kinds = words(...CONTRACT.kinds.map(({ kind }) => kind))
const count = { type: 'integer' }
const counts = Object.fromEntries(
  ['commits', ...CONTRACT.kinds.map(({ table }) => table)].map(name => [name, orNull(whole)]),
)
/** Columns that a group may have. A group has those that its kind has. */
const columns = Object.fromEntries(
  ['dataset', 'dataset_variant', 'scale_factor', 'storage', 'layout'].map(name => [name, orNull(text)]),
)
const group = {
  type: 'object',
  properties: { slug: text, name: text, kind: kinds, ...columns, series: whole },
  required: ['slug', 'name', 'kind', 'dataset', 'series'],
  additionalProperties: false,
}
const storeKind = words('embedded', 'postgres')
const store = (reachable: boolean) => object({ kind: storeKind, reachable: { const: reachable } })
const missing = failure('There is none', 'not_found')

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
      responses: { 200: json('Its name', object({ service: { const: 'vortex-ingest' }, schema_version: version })) },
    },
    'GET /health': {
      operationId: 'health',
      summary: 'Whether the store answers, and how much it holds',
      tags: ['read'],
      parameters: [inQuery('version', text, 'With any value: only the contract version, without asking the store')],
      responses: { 200: json('The store answers, or was not asked', healthy(version)), 503: unhealthy(version) },
    },
  }
}

function healthy(version: JsonSchema): JsonSchema {
  return {
    anyOf: [
      object({
        ...{ status: { const: 'ok' }, schema_version: version, store: store(true) },
        ...{ rows: object(counts), estimated: texts },
      }),
      object({ schema_version: version, store: object({ kind: storeKind }) }),
    ],
  }
}

function unhealthy(version: JsonSchema): Response {
  return json('The store does not answer, or the server stops', {
    anyOf: [
      object({
        ...{ error: words('store_unreachable'), status: words('unavailable') },
        ...{ schema_version: version, store: store(false) },
      }),
      object({ error: words('shutting_down') }),
    ],
  })
}

const DATA_OPERATIONS: Operations = {
  'GET /api/groups': {
    operationId: 'groups',
    summary: 'Every group of measurements',
    tags: ['read'],
    responses: { 200: json('Groups', object({ groups: list(group) })) },
  },
  'GET /api/group/:slug': {
    operationId: 'group',
    summary: 'What the last commits measured in a group',
    tags: ['read'],
    parameters: [inPath('slug', 'As /api/groups tells it'), inQuery('n', count, 'Commits, 1 to 1000; 100')],
    responses: {
      200: json('Commits, the newest first, and their measurements by id', {
        type: 'object',
        properties: {
          ...{ name: text, kind: kinds, ...columns, n: whole },
          ...{ commits: list(named('stored_commit')), measurements: list(named('measurement')) },
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
      inQuery('commit', text, 'Required without ids'),
      inQuery('ids', text, 'In place of commit: at most 5000, with commas between them'),
      inQuery('kind', kinds, 'Only of this kind'),
      inQuery('after', text, 'The next of the page before'),
      inQuery('limit', count, 'Rows of a page, 1 to 5000; 1000'),
    ],
    responses: {
      200: json('Measurements by id', {
        type: 'object',
        properties: { commit: text, measurements: list(named('measurement')), next: orNull(text) },
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
    parameters: [inPath('sha', 'Of the commit')],
    responses: { 200: json('It', named('stored_commit')), 404: missing },
  },
  'GET /openapi.json': {
    operationId: 'openapi',
    summary: 'This document',
    tags: ['read'],
    responses: { 200: json('OpenAPI 3.1', { type: 'object', required: ['openapi', 'info', 'paths'] }) },
  },
}
