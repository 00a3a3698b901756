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
const store = (reachable: boolean) => object({ kind: storeKind, ordered: boolean, reachable: { const: reachable } })
const missing = errorResponse('Not found', 'not_found')

/** @param version the contract version of the server */
export function readOperations(version: number): Operations {
  return { ...aboutOperations({ const: version }), ...DATA_OPERATIONS }
}

/** The operations whose answers contain the contract version. */
function aboutOperations(version: JsonSchema): Operations {
  return {
    'GET /': {
      operationId: 'about',
      summary: 'Name of this service; the page for clients that accept text/html',
      tags: ['read'],
      responses: {
        200: jsonResponse(
          'Name and contract version',
          object({ service: { const: 'vortex-ingest' }, schema_version: version }),
        ),
      },
    },
    'GET /health': {
      operationId: 'health',
      summary: 'Whether the store is reachable, and how many rows it holds',
      tags: ['read'],
      parameters: [
        queryParameter(
          'version',
          string,
          'With any value: only answer the contract version, without a query to the store',
        ),
      ],
      responses: {
        200: jsonResponse('The store is reachable, or was not asked', healthy(version)),
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
      object({ schema_version: version, store: object({ kind: storeKind, ordered: boolean }) }),
    ],
  }
}

function unhealthy(version: JsonSchema): Response {
  return jsonResponse('The store is unreachable, or the server is shutting down', {
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
    summary: 'List the groups of measurements',
    tags: ['read'],
    responses: { 200: jsonResponse('Groups', object({ groups: array(group) })) },
  },
  'GET /api/group/:slug': {
    operationId: 'group',
    summary: 'Measurements of a group at the last commits',
    tags: ['read'],
    parameters: [
      pathParameter('slug', 'Slug from /api/groups'),
      queryParameter('n', integer, 'Number of commits, 1 to 1000; default 100'),
    ],
    responses: {
      200: jsonResponse('Commits, newest first, and their measurements, sorted by id', {
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
    summary: 'Measurements of a commit, page by page, or measurements with the given ids',
    tags: ['read'],
    parameters: [
      queryParameter('commit', string, 'SHA of the commit; required unless ids is given'),
      queryParameter('ids', string, 'Instead of commit: at most 5000 ids, separated by commas'),
      queryParameter('kind', kinds, 'Record kind'),
      queryParameter('after', string, 'The `next` of the previous page'),
      queryParameter('limit', integer, 'Rows per page, 1 to 5000; default 1000'),
    ],
    responses: {
      200: jsonResponse('Measurements, sorted by id', {
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
    summary: 'Get a commit',
    tags: ['read'],
    parameters: [pathParameter('sha', 'SHA of the commit')],
    responses: { 200: jsonResponse('The commit', ref('stored_commit')), 404: missing },
  },
  'GET /api/commits/:sha/first-parents': {
    operationId: 'first_parents',
    summary: 'The first-parent history of a commit, as far as the parents of commits are stored',
    tags: ['read'],
    parameters: [
      pathParameter('sha', 'SHA of the commit, which need not be stored'),
      queryParameter('n', integer, 'Number of commits, 1 to 10000; default 1000'),
    ],
    responses: {
      200: jsonResponse(
        'Commits, newest first, and why the list ends',
        object({ shas: strings, end: oneOf('first', 'limit', 'unknown') }),
      ),
      400: BAD_REQUEST,
    },
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

const commitFacts = object({ sha: string, timestamp: string, message: string, author: string, url: string })

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
    commits: array(commitFacts),
    series: array({
      ...object({
        ...{ key: strings, values: array(nullable(integer)), uncompressed_bytes: array(nullable(integer)) },
        ...{ low: array(nullable(integer)), high: array(nullable(integer)) },
      }),
      required: ['key', 'values'],
    }),
  },
  required: ['slug', 'name', 'kind', 'unit', 'dataset', 'dimensions', 'commits', 'more', 'series'],
  additionalProperties: false,
}

const series = object({
  kind: kinds,
  dimensions: { type: 'object', additionalProperties: nullable(string) },
  platform: nullable(string),
  values: array(nullable(integer)),
})

const number = { type: 'number' }
const change = object({
  ...{ commit: string, before: string, slug: string, unit: oneOf('ns', 'bytes'), dimensions: strings, key: strings },
  ...{ old: number, new: number, q: number, values: array(number), at: naturalNumber, accepted: nullable(string) },
})

export const PAGE_OPERATIONS: Operations = {
  'GET /api/accepted-changes': {
    operationId: 'accepted_changes',
    summary: 'List accepted changes, also withdrawn ones, page by page',
    tags: ['read'],
    parameters: [
      queryParameter('after', string, 'The `next` of the previous page'),
      queryParameter('limit', integer, 'Accepted changes per page, 1 to 100; default 100'),
    ],
    responses: {
      200: jsonResponse(
        'Accepted changes, newest first',
        object({ accepted: array(ref('accepted_change')), next: nullable(string) }),
      ),
      400: BAD_REQUEST,
    },
  },
  'GET /api/changes': {
    operationId: 'changes',
    summary: 'Change points of all series at the last 300 commits of the first-parent history',
    tags: ['read'],
    responses: {
      200: jsonResponse(
        'Commits with changes, newest first, and changes, the largest first',
        object({
          ...{ commits: array(commitFacts), changes: array(change) },
          ...{ analysed: naturalNumber, series: naturalNumber, more: boolean },
        }),
      ),
    },
  },
  'GET /api/deliveries': {
    operationId: 'deliveries',
    summary: 'Where a measurement, the values of a commit or those of a group at a commit come from',
    tags: ['read'],
    parameters: [
      queryParameter('commit', string, 'Full id of the commit; required unless id is given'),
      queryParameter(
        'group',
        string,
        'With commit: a slug from /api/groups; only deliveries with values of this group',
      ),
      queryParameter('id', string, 'Instead of commit: a measurement_id'),
    ],
    responses: {
      200: jsonResponse('Deliveries, newest first; the first one with a stored value has the value that is stored', {
        type: 'object',
        properties: {
          ...{ recorded: boolean, commit: nullable(string) },
          measurement: nullable(object({ id: string, kind: kinds })),
          ...{ deliveries: array(ref('delivery')), dimensions: strings },
          series: array(object({ delivery: string, key: strings })),
        },
        required: ['recorded', 'commit', 'measurement', 'deliveries'],
        additionalProperties: false,
      }),
      400: BAD_REQUEST,
    },
  },
  'GET /api/history/:slug': {
    operationId: 'history',
    summary: 'Values of each series of a group at the last commits',
    tags: ['read'],
    parameters: [
      pathParameter('slug', 'Slug from /api/groups'),
      queryParameter('n', integer, 'Number of commits, 1 to 1000; default 200'),
      queryParameter('line', oneOf('main', 'all'), 'Commits of the main line, or all commits by time; default main'),
      queryParameter('runs', oneOf('quartiles'), 'Also answer the lower and upper quartile of the runs: `low`, `high`'),
    ],
    responses: {
      200: jsonResponse('Commits, oldest first, and one value for each series and commit', history),
      400: BAD_REQUEST,
      404: missing,
    },
  },
  'GET /badge/:slug.svg': {
    operationId: 'badge',
    summary: 'A picture that compares the newest values of a group with those of the commit before',
    tags: ['read'],
    parameters: [pathParameter('slug', 'Slug from /api/groups')],
    responses: {
      200: { description: 'The picture', content: { 'image/svg+xml': { schema: string } } },
      404: missing,
    },
  },
  'GET /api/commits': {
    operationId: 'commits',
    summary: 'List the last commits, or look up commits by their ids',
    tags: ['read'],
    parameters: [
      queryParameter('n', integer, 'Number of commits, 1 to 1000; default 20'),
      queryParameter('line', oneOf('main', 'all'), 'All commits by time, or those of the main line; default all'),
      queryParameter('prefix', string, 'Only commits whose id starts with these 4 to 40 lowercase hex digits'),
      queryParameter('shas', string, 'Instead of n and prefix: at most 200 full ids, separated by commas'),
    ],
    responses: {
      200: jsonResponse('Commits, newest first', object({ commits: array(ref('stored_commit')) })),
      400: BAD_REQUEST,
    },
  },
  'GET /api/series': {
    operationId: 'series',
    summary: 'Values of every series at given commits',
    tags: ['read'],
    parameters: [
      {
        ...queryParameter('commits', string, 'At most 200 full ids, separated by commas'),
        required: true,
      },
    ],
    responses: {
      200: jsonResponse(
        'One entry for each series and platform, with a value for each commit',
        object({ commits: strings, series: array(series), more: boolean }),
      ),
      400: BAD_REQUEST,
    },
  },
  'GET /api/pushes': {
    operationId: 'pushes',
    summary: 'List the last envelopes that this server received',
    tags: ['read'],
    responses: { 200: jsonResponse('Pushes, newest first', object({ since: dateTime, pushes: array(push) })) },
  },
}
