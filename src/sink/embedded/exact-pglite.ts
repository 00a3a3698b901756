/** PGlite that returns every string as it was stored. */
import { PGlite } from '@electric-sql/pglite'
import { DatabaseError } from 'pg-protocol/dist/messages.js'
import { Parser } from 'pg-protocol/dist/parser.js'

type Options = Parameters<PGlite['execProtocolStream']>[1]
type Messages = Awaited<ReturnType<PGlite['execProtocolStream']>>

/**
 * PGlite's own reader drops U+FEFF at the start of every string, because its TextDecoder takes that character for a byte
 * order mark. Here the Postgres driver's reader decodes the answers, so both databases return the same strings.
 * @see docs/adr/0018-embedded-answers-read-by-pg.md
 */
export class ExactPGlite extends PGlite {
  /** `query` and `exec` send every message through this method. */
  override async execProtocolStream(message: Uint8Array, { syncToFs = true }: Options = {}): Promise<Messages> {
    const chunks: Uint8Array[] = []
    // The bytes are the engine's own memory, which it writes over. They are decoded after it has answered, because an
    // exception inside the callback would end the engine.
    await this.execProtocolRawStream(message, { syncToFs, onRawData: bytes => chunks.push(bytes.slice()) })
    return decode(Buffer.concat(chunks))
  }
}

/** @throws {DatabaseError} the first error among the messages */
function decode(answer: Buffer): Messages {
  const messages: Messages = []
  new Parser().parse(answer, message => {
    if (message instanceof DatabaseError) throw message
    messages.push(message)
  })
  return messages
}
