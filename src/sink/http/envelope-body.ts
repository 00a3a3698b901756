/** An envelope as bytes: the file's own, with commas where its line feeds were. */

import { createHash, type Hash } from 'node:crypto'
import type { Commit, RunMeta } from '../../contract/commit.js'

const LF = 0x0a
const COMMA = 0x2c
const SPACE = 0x20

/** What stands before the records. */
export function envelopeHead({ run, commit }: { readonly run: RunMeta; readonly commit: Commit }): Buffer {
  const { benchmark_id, schema_version, started_at } = run
  const text = JSON.stringify({ run_meta: { benchmark_id, schema_version, started_at }, commit })
  return Buffer.from(`${text.slice(0, -1)},"records":[`)
}

export const ENVELOPE_TAIL = Buffer.from(']}')

/**
 * Whole lines with a comma in place of each line feed that another record follows, and spaces in place of the others:
 * as many bytes as came in, and every digit as it was.
 */
export class CommaWriter {
  #left: number
  /** Whether only blanks were seen since the last line feed. */
  #blank = true

  /** @param records lines in all that are not blank */
  constructor(records: number) {
    this.#left = records
  }

  /** Whether all records have passed. */
  get done(): boolean {
    return this.#left === 0
  }

  /** @returns a copy of `lines`, which may end anywhere in a line */
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

/**
 * Starts the idempotency key of an envelope. The same lines of the same benchmark have the same key whenever they are
 * sent, so the start time of the run and the contract version, which the server decides, are not part of it.
 */
export function envelopeKey({ run, commit }: { readonly run: RunMeta; readonly commit: Commit }): Hash {
  return createHash('sha256').update(JSON.stringify([run.benchmark_id, commit]))
}
