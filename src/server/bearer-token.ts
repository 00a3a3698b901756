/** Checks bearer tokens before any part of a body is read. Compares them in constant time, which reveals nothing of them. */

import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'

const SCHEME = 'Bearer '

/** @returns a function that tells whether an Authorization header carries `token`; the scheme must be exactly `Bearer ` */
export function createTokenCheck(token: string): (header: string | undefined) => boolean {
  const expected = digest(Buffer.from(token))
  return header => {
    // Node decodes headers as Latin-1. Both tokens are hashed, so that timingSafeEqual gets buffers of equal length.
    const given = Buffer.from(header?.startsWith(SCHEME) === true ? header.slice(SCHEME.length) : '', 'latin1')
    return timingSafeEqual(digest(given), expected) && given.length > 0
  }
}

function digest(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}

export type TokenCheck = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/**
 * @param token undefined accepts every request
 * @param others further tokens that are accepted
 */
export function requireToken(token: string | undefined, ...others: readonly string[]): TokenCheck {
  const checks = token === undefined ? [() => true] : [token, ...others].map(createTokenCheck)
  return async ({ headers }, reply) =>
    checks.some(isRight => isRight(headers.authorization)) ? undefined : unauthorized(reply)
}

export function unauthorized(reply: FastifyReply): FastifyReply {
  return reply.code(401).header('www-authenticate', 'Bearer').send({ error: 'unauthorized' })
}

/** Sends `100 Continue` when the client waits for it. Node itself refuses every other `Expect` header. */
export function continueIfAsked(request: FastifyRequest, reply: FastifyReply): void {
  if (request.headers.expect !== undefined) reply.raw.writeContinue()
}
