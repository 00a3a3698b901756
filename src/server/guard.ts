/** Checks bearer tokens before any part of a body is read. */

import type { FastifyReply, FastifyRequest } from 'fastify'
import { bearerCheck } from './token.js'

export type Guard = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/** @param token undefined accepts every request */
export function guard(token: string | undefined): Guard {
  const isRight = token === undefined ? () => true : bearerCheck(token)
  return async (request, reply) => (isRight(request.headers.authorization) ? undefined : unauthorized(reply))
}

export function unauthorized(reply: FastifyReply): FastifyReply {
  return reply.code(401).header('www-authenticate', 'Bearer').send({ error: 'unauthorized' })
}

/** Sends `100 Continue` when the client waits for it. Node itself refuses every other `Expect` header. */
export function continueIfAsked(request: FastifyRequest, reply: FastifyReply): void {
  if (request.headers.expect !== undefined) reply.raw.writeContinue()
}
