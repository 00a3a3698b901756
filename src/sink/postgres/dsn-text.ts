/** The small pieces that reading a Postgres DSN is made of. */
import { IngestError } from '../../errors.js'

/** The error for a DSN that is not accepted; `message` never repeats a part that could be a password. */
export function dsnError(message: string, hint?: string): IngestError {
  return new IngestError('usage', message, hint === undefined ? {} : { hint })
}

/** One percent-encoded part, decoded. `+` stays `+`, as in libpq. */
export function decode(text: string, part: string): string {
  const decoded = decodeOrUndefined(text)
  // A NUL would end the string inside the start-up packet, and what follows would be read as further settings.
  if (decoded === undefined || hasControlCharacter(decoded)) {
    throw dsnError(`the ${part} in the Postgres URL is not percent-encoded text`, 'write % as %25')
  }
  return decoded
}

export function hasControlCharacter(text: string): boolean {
  return [...text].some(character => character < ' ' || character === '\u007f')
}

function decodeOrUndefined(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    // Not kept as a cause: a caller may print causes, and this one may quote the text.
    return undefined
  }
}
