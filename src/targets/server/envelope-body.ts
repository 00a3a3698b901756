/** Builds an envelope's bytes from a file's lines by replacing line feeds with commas. */

import { COMMIT_FIELDS, type Commit, type RunMeta } from '../../contract/commit.js'
import { isSpace } from '../../source/lines.js'

const LF = 0x0a
const COMMA = 0x2c
const SPACE = 0x20

/** The bytes of an envelope before its first record. */
export function envelopeHead({ run, commit }: { readonly run: RunMeta; readonly commit: Commit }): Buffer {
  const { benchmark_id, schema_version, started_at } = run
  const fields = Object.fromEntries(COMMIT_FIELDS.map(name => [name, commit[name]]))
  const text = JSON.stringify({ run_meta: { benchmark_id, schema_version, started_at }, commit: fields })
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
    for (let at = this.#skipBlank(bytes, 0); at < bytes.length; at = this.#skipBlank(bytes, at + 1)) {
      this.#blank = false
      at = bytes.indexOf(LF, at)
      if (at === -1) break
      bytes[at] = --this.#left === 0 ? SPACE : COMMA
      this.#blank = true
    }
    return bytes
  }

  /** Replaces the line feeds of blank lines. Returns the offset of the next byte of a record. */
  #skipBlank(bytes: Buffer, start: number): number {
    let at = start
    for (; this.#blank && at < bytes.length && (bytes[at] === LF || isSpace(bytes[at]!)); at++)
      if (bytes[at] === LF) bytes[at] = SPACE
    return at
  }
}
