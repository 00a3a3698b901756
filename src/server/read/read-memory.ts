/** Limits the memory of all answers of read routes together, from the first query until the client has received them. */

import type { FastifyReply } from 'fastify'
import { Budget, type Share } from '../budget.js'

/** Memory that reading and encoding one answer, or one page of a longer answer, may take. */
const READ_BYTES = 32 * 1024 * 1024
/** Memory of all answers that are being read or sent. */
const TOTAL_BYTES = 4 * READ_BYTES
/** Number of reads that may wait. Further ones are refused. */
const MAX_WAITING = 250

export const JSON_TYPE = 'application/json; charset=utf-8'

export class ReadMemory {
  readonly #budget = new Budget(TOTAL_BYTES, MAX_WAITING)

  /** @param stallMs an answer is cut off when its client receives nothing for this long */
  constructor(private readonly stallMs: number) {}

  /** Waits for the memory of one read. @throws {OverloadedError} */
  take(): Promise<Share> {
    return this.#budget.take(READ_BYTES)
  }

  /**
   * Reads and sends an answer.
   * @param read returns the answer, also compressed; undefined when there is no such thing
   */
  async send(
    reply: FastifyReply,
    read: () => Promise<string | Buffer | undefined>,
    type = JSON_TYPE,
  ): Promise<FastifyReply> {
    const share = await this.take()
    try {
      // A client that has disconnected while it waited costs no query.
      if (reply.raw.destroyed) return reply.hijack()
      const answer = await read()
      if (answer === undefined) return notFound(reply)
      const bytes = typeof answer === 'string' ? Buffer.from(answer) : answer
      share.shrink(bytes.length)
      this.limitStalls(reply)
      if (!reply.raw.destroyed) await sendUntilClosed(reply.type(type), bytes)
      return reply
    } finally {
      share.release()
    }
  }

  limitStalls({ raw }: FastifyReply): void {
    raw.setTimeout(this.stallMs, () => raw.destroy())
  }
}

async function sendUntilClosed(reply: FastifyReply, bytes: Buffer): Promise<void> {
  const closed = new Promise<void>(resolve => reply.raw.once('close', resolve))
  reply.send(bytes)
  await closed
}

export function notFound(reply: FastifyReply): FastifyReply {
  return reply.code(404).send({ error: 'not_found' })
}
