/** Builds the OpenAPI document of a server from its registered routes. */

import { schemaText } from '../../contract/schema.js'
import type { KnownRoute } from '../route-list.js'
import { componentSchemas } from './components.js'
import { INGEST_OPERATIONS } from './ingest-operations.js'
import { errorResponse, jsonResponse, object, oneOf, type Operation, type Operations } from './builders.js'
import { OPERATOR_OPERATIONS } from './operator-operations.js'
import { NO_OPERATIONS, PAGE_OPERATIONS, readOperations } from './read-operations.js'

function allOperations(version: number): Operations {
  return { ...INGEST_OPERATIONS, ...readOperations(version), ...PAGE_OPERATIONS, ...OPERATOR_OPERATIONS }
}

/**
 * @param version the contract version of the server
 * @returns the document as JSON text
 * @throws {Error} for a route that no operation describes
 */
export function openApiDocument(routes: readonly KnownRoute[], version: number): string {
  const operations = allOperations(version)
  const paths: Record<string, Record<string, Operation>> = {}
  // HEAD routes are left out, because HEAD is answered like GET, without the body.
  for (const { method, url } of routes.filter(({ method }) => method !== 'HEAD')) {
    if (NO_OPERATIONS.has(`${method} ${url}`)) continue
    const operation = operations[`${method} ${url}`]
    if (operation === undefined) throw new Error(`src/server/openapi does not describe ${method} ${url}`)
    paths[toPathTemplate(url)] = { ...paths[toPathTemplate(url)], [method.toLowerCase()]: withFailures(operation) }
  }
  const bearer = { type: 'http', scheme: 'bearer' }
  return schemaText({
    openapi: '3.1.0',
    info: {
      title: 'vortex-ingest serve',
      version: String(version),
      description:
        'Ingests envelopes of benchmark records, serves the stored measurements, and offers an API for operators.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: ['ingest', 'read', 'operate'].map(name => ({ name })),
    paths,
    components: {
      securitySchemes: { writer: bearer, revalidator: bearer, operator: bearer },
      schemas: componentSchemas(version),
    },
  })
}

/** Converts a route to an OpenAPI path. OpenAPI has no wildcard, so an object key, which may contain slashes, is `{key}`. */
function toPathTemplate(url: string): string {
  return url.replace(/:(\w+)/g, '{$1}').replace('*', '{key}')
}

const FAILURES = {
  500: jsonResponse('Internal error; the server log has the reason', {
    ...object({ error: oneOf('internal'), reason: oneOf('refused', 'data') }),
    required: ['error'],
    description: 'reason: the store refuses the records or cannot hold a value, so repeating the request does not help',
  }),
  503: errorResponse('The server is shutting down or holds as much as it may; retry later', 'shutting_down', 'busy'),
}

function withFailures(operation: Operation): Operation {
  return { ...operation, responses: { ...FAILURES, ...operation.responses } }
}
