/** The routes of the operator API. They do the same as the commands of the command line, on one state. */

import type { FastifyInstance, FastifyReply } from 'fastify'
import { continueIfAsked, requireToken } from '../bearer-token.js'
import {
  failureAnswer,
  type OperatorAnswer,
  type Operator,
  type OperatorLimits,
  type OperatorRoute,
} from './operator-route.js'
import { bucketRoutes } from './buckets.js'
import { errorRoutes } from './errors.js'
import { targetRoutes } from './targets.js'

export type OperatorOptions = {
  readonly operator: Operator
  readonly limits: OperatorLimits
  /** Called with the cause of a 5xx answer, for the log. */
  readonly onFailure: (reply: FastifyReply, error: unknown) => void
}

export function addOperatorRoutes(app: FastifyInstance, options: OperatorOptions): void {
  const { operator, limits } = options
  const onRequest = requireToken(operator.token)
  for (const route of [...bucketRoutes(operator, limits), ...errorRoutes(operator), ...targetRoutes(operator)])
    addOperatorRoute(app, route, { ...options, onRequest })
}

type Adding = Omit<OperatorOptions, 'operator'> & { readonly onRequest: ReturnType<typeof requireToken> }

/** @param options.onRequest checks the token before the body is read */
export function addOperatorRoute(
  app: FastifyInstance,
  { method, url, answer }: OperatorRoute,
  { onRequest, onFailure, limits }: Adding,
): void {
  const { stallMs } = limits
  app.route({
    ...{ method, url, onRequest },
    handler: async (request, reply) => {
      try {
        return send(reply, await answer(request, () => continueIfAsked(request, reply)), stallMs)
      } catch (error) {
        const failure = failureAnswer(error)
        if (failure === undefined) throw error
        if (failure.status >= 500) onFailure(reply, error)
        return send(reply, failure, stallMs)
      }
    },
  })
}

/** @param stallMs the answer is cut off when its client receives nothing for this long */
function send(
  reply: FastifyReply,
  { status, body, headers = {}, release }: OperatorAnswer,
  stallMs: number,
): FastifyReply {
  const { raw } = reply
  raw.setTimeout(stallMs, () => raw.destroy())
  if (release !== undefined && raw.destroyed) release()
  else if (release !== undefined) raw.once('close', release)
  if (Buffer.isBuffer(body)) reply.type('application/octet-stream')
  return reply.code(status).headers(headers).send(body)
}
