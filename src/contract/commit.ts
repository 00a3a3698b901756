/** The commit and run metadata of an envelope, with the field names of the contract. */

/**
 * The commit of an envelope. Every field is a string.
 * @see contract section 2
 */
export type Commit = {
  /** 40 lowercase hex digits. */
  readonly sha: string
  /** RFC 3339, the committer date in strict ISO form. */
  readonly timestamp: string
  readonly message: string
  readonly author_name: string
  readonly author_email: string
  readonly committer_name: string
  readonly committer_email: string
  readonly tree_sha: string
  /** `<repo url>/commit/<sha>` */
  readonly url: string
}

/**
 * The run_meta of an envelope.
 * @see contract section 2
 */
export type RunMeta = {
  /** Free text: in CI a job id, or `<workflow file>@<run id>`. */
  readonly benchmark_id: string
  readonly schema_version: number
  /** RFC 3339 */
  readonly started_at: string
}

/** The commit's fields in the order of the envelope and of the commits table. */
export const COMMIT_FIELDS = [
  'sha',
  'timestamp',
  'message',
  'author_name',
  'author_email',
  'committer_name',
  'committer_email',
  'tree_sha',
  'url',
] as const satisfies readonly (keyof Commit)[]

/** Whether a commit is not before `since` and before `until`, both RFC 3339. An absent limit does not limit. */
export function isCommittedBetween(
  { timestamp }: Pick<Commit, 'timestamp'>,
  { since, until }: { readonly since?: string | undefined; readonly until?: string | undefined },
): boolean {
  const time = Date.parse(timestamp)
  return (since === undefined || time >= Date.parse(since)) && (until === undefined || time < Date.parse(until))
}

const FULL_SHA = /^[0-9a-f]{40}$/

/** Whether a text is a full commit id as the contract defines it: 40 lowercase hex digits. */
export function isFullSha(text: string): boolean {
  return FULL_SHA.test(text)
}
