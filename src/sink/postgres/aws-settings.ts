/** What of the world an RDS token is made from, handed down by whoever may read the environment. */

export type AwsSettings = {
  /** `--region`: wins over every other source, and asks for a token whatever the host is called. */
  readonly region?: string | undefined
  /** The process's `AWS_*` variables. */
  readonly environment: Readonly<Record<string, string | undefined>>
}
