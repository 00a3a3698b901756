/** Builds an envelope's bytes from a file's lines by replacing line feeds with commas. */

import type { Commit, RunMeta } from '../../contract/commit.js'

const LF = 0x0a
const COMMA = 0x2c
const SPACE = 0x20

/** The bytes of an envelope before its first record. */
export function envelopeHead({ run, commit }: { readonly run: RunMeta; readonly commit: Commit }): Buffer {
  const { benchmark_id, schema_version, started_at } = run
  const text = JSON.stringify({ run_meta: { benchmark_id, schema_version, started_at }, commit })
  return Buffer.from(`${text.slice(0, -1)},"records":[`)
}

export const ENVELOPE_TAIL = Buffer.from(']}')

/**
 * Turns lines into the elements of a JSON array. A line feed becomes a comma if another record follows, and a space otherwise.
 * The number of bytes and every digit stay the same.
 */
export class CommaWriter {
  #left: number
  /** Whether only white space was seen since the last line feed. */
  #blank = true

  /** @param records total number of lines that are not blank */
  constructor(records: number) {
    this.#left = records
  }

  /** Whether all records were written. */
  get done(): boolean {
    return this.#left === 0
  }

  /** Converts the next lines. @param lines may end in the middle of a line @returns a converted copy */
  write(lines: Buffer): Buffer {
    const bytes = Buffer.from(lines)
    for (let at = 0; at < bytes.length;) {
      const next = bytes.indexOf(LF, at)
      const end = next === -1 ? bytes.length : next
      for (let i = at; this.#blank && i < end; i++) this.#blank = isSpace(bytes[i]!)
      if (next !== -1) bytes[next] = this.#endOfLine()
      at = end + 1
    }
    return bytes
  }

  #endOfLine(): number {
    if (this.#blank) return SPACE
    this.#blank = true
    this.#left--
    return this.#left === 0 ? SPACE : COMMA
  }
}

function isSpace(byte: number): boolean {
  return byte === SPACE || byte === 0x09 || byte === 0x0d
}
