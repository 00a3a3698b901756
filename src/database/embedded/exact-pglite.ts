/** A PGlite that returns every string exactly as it was stored. */
import { PGlite } from '@electric-sql/pglite'
import { DatabaseError } from 'pg-protocol/dist/messages.js'
import { Parser } from 'pg-protocol/dist/parser.js'

type Options = Parameters<PGlite['execProtocolStream']>[1]
type Messages = Awaited<ReturnType<PGlite['execProtocolStream']>>

/**
 * Decodes answers with the parser of the Postgres driver, so that both databases return the same strings. PGlite's own parser
 * drops U+FEFF at the start of a string, because its TextDecoder treats that character as a byte order mark.
 * @see docs/adr/0018-embedded-answers-read-by-pg.md
 */
export class ExactPGlite extends PGlite {
  /** `query` and `exec` send every message through this method. */
  override async execProtocolStream(message: Uint8Array, { syncToFs = true }: Options = {}): Promise<Messages> {
    const chunks: Uint8Array[] = []
    // The bytes are copied because the engine reuses their memory. They are decoded after the engine has returned, because an
    // exception in the callback would crash it.
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
