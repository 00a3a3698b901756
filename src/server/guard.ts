/** Who is let in: decided before a byte of a body is read. */

import type { FastifyReply, FastifyRequest } from 'fastify'
import { bearerCheck } from './token.js'

export type Guard = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/** @param token undefined lets everybody in */
export function guard(token: string | undefined): Guard {
  const isRight = token === undefined ? () => true : bearerCheck(token)
  return async (request, reply) => (isRight(request.headers.authorization) ? undefined : unauthorized(reply))
}

export function unauthorized(reply: FastifyReply): FastifyReply {
  return reply.code(401).header('www-authenticate', 'Bearer').send({ error: 'unauthorized' })
}

/** Node itself refuses every other expectation. */
export function continueIfAsked(request: FastifyRequest, reply: FastifyReply): void {
  if (request.headers.expect !== undefined) reply.raw.writeContinue()
}
