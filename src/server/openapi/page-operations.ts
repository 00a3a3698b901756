/** The read operations that the page uses. */

import { CONTRACT } from '../../contract/kinds.js'
import { BAD_REQUEST } from './ingest-operations.js'
import { failure, inPath, inQuery, json, type Operations } from './operation.js'
import { flag, list, named, object, orNull, text, texts, time, whole, words } from './schema.js'

const count = { type: 'integer' }

/** Routes without a description: the files of the page, whose names change with every build. */
export const NO_OPERATIONS: ReadonlySet<string> = new Set(['GET /page/:name'])

const push = {
  type: 'object',
  properties: {
    ...{ time, status: orNull(count), ms: { type: 'number' }, bytes: whole, commit: text },
    ...{ records: whole, inserted: whole, updated: whole, error: text },
  },
  required: ['time', 'status', 'ms'],
  additionalProperties: false,
}

const history = {
  type: 'object',
  properties: {
    ...{ slug: text, name: text, kind: words(...CONTRACT.kinds.map(({ kind }) => kind)), unit: words('ns', 'bytes') },
    ...{ dataset: text, dataset_variant: orNull(text), scale_factor: orNull(text) },
    ...{ storage: orNull(text), layout: orNull(text), dimensions: texts, more: flag },
    commits: list(object({ sha: text, timestamp: text, message: text, author: text, url: text })),
    series: list({
      ...object({ key: texts, values: list(orNull(count)), uncompressed_bytes: list(orNull(count)) }),
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
    parameters: [inPath('slug', 'As /api/groups tells it'), inQuery('n', count, 'Commits, 1 to 1000; 200')],
    responses: {
      200: json('Commits, the oldest first, and for each series a value at each of them', history),
      400: BAD_REQUEST,
      404: failure('There is none', 'not_found'),
    },
  },
  'GET /api/commits': {
    operationId: 'commits',
    summary: 'The last commits',
    tags: ['read'],
    parameters: [inQuery('n', count, 'Commits, 1 to 100; 20')],
    responses: {
      200: json('Commits, the newest first', object({ commits: list(named('stored_commit')) })),
      400: BAD_REQUEST,
    },
  },
  'GET /api/pushes': {
    operationId: 'pushes',
    summary: 'The last envelopes that this server was sent',
    tags: ['read'],
    responses: { 200: json('Pushes, the newest first', object({ since: time, pushes: list(push) })) },
  },
}
