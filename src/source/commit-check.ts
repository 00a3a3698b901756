/** Decides which records of a source name a commit that a push accepts. */

import { isFullSha } from '../contract/commit.js'
import type { Problem } from '../contract/problem.js'
import { commitProblem } from '../contract/validate.js'
import { startsWith, toToken, type Token } from '../contract/words.js'
import { STRIDE, type RecordBatch } from './record-batch.js'

export type CommitCheckOptions = {
  /** The commit that every record must name. Default: the first full commit id of the source. */
  readonly commitSha?: string | undefined
  /** False allows several commits in one source, if no `commitSha` is given. */
  readonly oneCommit: boolean
}

/** Index of `commit_sha`, the first field of every kind. */
const COMMIT_FIELD = 0

export class CommitCheck {
  /** The first full commit id that was accepted. */
  firstSha: string | undefined
  #expected: string | undefined
  /** The expected commit as bytes, because comparing bytes is faster than decoding every commit. */
  #token: Token | undefined

  constructor(private readonly options: CommitCheckOptions) {
    if (options.commitSha !== undefined) this.#expect(options.commitSha)
  }

  /** The problem of the commit that a row names; undefined when a push accepts it. */
  problemOf(batch: RecordBatch, row: number): Problem | undefined {
    if (this.firstSha !== undefined && this.#holdsExpected(batch, row)) return undefined
    const sha = batch.text(row, COMMIT_FIELD) ?? ''
    const isPinned = this.options.oneCommit || this.options.commitSha !== undefined
    const problem = commitProblem(sha, isPinned ? this.#expected : undefined)
    if (problem !== undefined) return problem
    this.firstSha ??= sha
    this.#expect(sha)
    return undefined
  }

  #expect(sha: string): void {
    this.#expected = sha
    this.#token = isFullSha(sha) ? toToken(Buffer.from(sha)) : undefined
  }

  #holdsExpected(batch: RecordBatch, row: number): boolean {
    const token = this.#token
    if (token === undefined) return false
    const start = batch.starts[row * STRIDE + COMMIT_FIELD]!
    const length = batch.ends[row * STRIDE + COMMIT_FIELD]! - start
    return length === token.length && startsWith(batch.viewOf(row), start, token)
  }
}
