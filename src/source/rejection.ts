/** Rejections (invalid lines) and warnings (valid but suspicious lines). Both are values and are never thrown. */

import type { ProblemCode } from '../contract/problem.js'
import type { SyntaxCode } from './exact-json.js'

export type RejectionCode = ProblemCode | SyntaxCode | 'invalid_utf8' | 'line_too_long' | 'record_too_large'

export type Rejection = {
  /** The path as it was given, or `-` for standard input. */
  readonly source: string
  /** Line number, from 1. */
  readonly line: number
  /** Offset of the line's first byte in the (decompressed) source, from 0. */
  readonly byte: number
  /** JSON pointer into the record; empty when the whole line is meant. */
  readonly pointer: string
  readonly code: RejectionCode
  readonly message: string
}

export type WarningCode =
  | 'inexact_threshold'
  | 'duplicate_id'
  | 'empty_input'
  | 'non_positive_value'
  | 'no_runs'
  | 'value_outside_runs'
  | 'personal_data'

/** `line` is 0 where the warning is about the whole source. */
export type Warning = {
  readonly source: string
  readonly line: number
  readonly pointer: string
  readonly code: WarningCode
  readonly message: string
}

/** The first rejections and warnings, and how many there were in total. */
export class Notes {
  static readonly SHOWN = 20
  readonly rejections: Rejection[] = []
  readonly warnings: Warning[] = []
  rejected = 0
  readonly rejectedSources = new Set<string>()
  warned = 0

  reject(rejection: Rejection): void {
    this.rejectedSources.add(rejection.source)
    if (this.rejected++ < Notes.SHOWN) this.rejections.push(rejection)
  }

  warn(warning: Warning): void {
    if (this.warned++ < Notes.SHOWN) this.warnings.push(warning)
  }
}

/** The file with the reasons of the rejected lines in another file. */
export function reasonsPath(path: string): string {
  return `${path}.reasons.jsonl`
}
