/** Helper functions for parsing a Postgres DSN. */
import { IngestError } from '../../errors.js'

/** The error for an invalid DSN. @param message must not repeat a part of the DSN that could be a password */
export function dsnError(message: string, hint?: string): IngestError {
  return new IngestError('usage', message, hint === undefined ? {} : { hint })
}

/** Decodes a percent-encoded part of a URL. `+` is not a space, as in libpq. @param part name of the part, for messages */
export function decode(text: string, part: string): string {
  const decoded = decodeOrUndefined(text)
  // A NUL would end the string in the start-up packet, and the server would read the rest as further settings.
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
    // The error is not kept as a cause, because causes may be printed and this one may quote the text.
    return undefined
  }
}
