/** The settings for RDS tokens. The caller passes the environment in. */

export type AwsSettings = {
  /** `--region`. Takes precedence over every other source, and requests a token for any host name. */
  readonly region?: string | undefined
  /** The process's `AWS_*` variables. */
  readonly environment: Readonly<Record<string, string | undefined>>
}
