/** The options of an archive. */

import type { OptionValues } from '../../config/option.js'

export const ARCHIVE_OPTIONS = {
  archive: {
    value: '<place>',
    help: 'with --state: also store the original lines, by table and commit, in a folder or s3://bucket/prefix',
  },
} as const

export const ARCHIVE_REGISTRATION = {
  bucket: { value: '<name>', help: 'bucket that an archive writes to, as `buckets ls` shows it' },
} as const

/** `state` is the address of the state that the records come from. */
export type ArchiveOptions = OptionValues<typeof ARCHIVE_OPTIONS & typeof ARCHIVE_REGISTRATION> & {
  readonly state?: string | undefined
}
