/** Finds the AWS region and credentials for an RDS login token. */
import { IngestError, messageOf } from '../../errors.js'
import type { AwsSettings } from './aws-settings.js'
import type { PostgresAddress } from './dsn.js'
import { isRdsHost } from './dsn-parameters.js'
import { rdsToken, type AwsCredentials } from './rds-token.js'

/** Whether the server accepts a token: its host name is one of RDS, or `--region` is given. */
export function takesToken({ host, tls, aws }: PostgresAddress): boolean {
  // A token is sent in plain text, so it needs verified TLS.
  return tls === 'verify-full' && aws !== undefined && (aws.region !== undefined || isRdsHost(host))
}

/** Creates a login token. @throws {IngestError} `config_invalid` without a region, `auth_failed` without credentials */
export async function mintToken(address: PostgresAddress, aws: AwsSettings, now: Date): Promise<string> {
  const { host, port, user } = address
  const region = await findRegion(host, aws)
  return rdsToken({ host, port, user, region, credentials: await findCredentials(region, aws), now })
}

/** The hint for a rejected token when its region differs from the region in the host name. */
export async function regionHint({ host }: PostgresAddress, aws: AwsSettings): Promise<string | undefined> {
  const [used, named] = [await findRegion(host, aws).catch(() => undefined), hostRegion(host)]
  if (used === undefined || named === undefined || used === named) return undefined
  return `the token was made for ${used}, the host name says ${named}: give --region ${named}`
}

/** Finds the region: from the flag, the environment, the profile or the host name, in this order. @see contract section 4 */
async function findRegion(host: string, { region, environment }: AwsSettings): Promise<string> {
  const found =
    region ||
    environment['AWS_REGION'] ||
    environment['AWS_DEFAULT_REGION'] ||
    (await fromChain(chain => chain.profileRegion())) ||
    hostRegion(host)
  if (found) return found
  const hint = 'give --region, or set AWS_REGION'
  throw new IngestError('config_invalid', `no AWS region is known to make a token for ${host} in`, { hint })
}

/** The region in a host name like `name.id.region.rds.amazonaws.com`, also with `cluster-` or `proxy-` before the id. */
function hostRegion(host: string): string | undefined {
  return /\.([a-z0-9-]+)\.rds\.amazonaws\.com(?:\.cn)?$/i.exec(host)?.[1]?.toLowerCase()
}

/** Reads keys from the environment, as in GitHub Actions, without loading AWS's code. A profile takes precedence over them. */
async function findCredentials(region: string, { environment }: AwsSettings): Promise<AwsCredentials> {
  const accessKeyId = environment['AWS_ACCESS_KEY_ID']
  const secretAccessKey = environment['AWS_SECRET_ACCESS_KEY']
  if (accessKeyId && secretAccessKey && !environment['AWS_PROFILE'])
    return { accessKeyId, secretAccessKey, sessionToken: environment['AWS_SESSION_TOKEN'] }
  return fromChain(chain => chain.chainCredentials(region))
}

async function fromChain<T>(ask: (chain: typeof import('./aws-chain.js')) => Promise<T>): Promise<T> {
  try {
    return await ask(await import('./aws-chain.js'))
  } catch (cause) {
    const hint =
      'give a password (PGPASSWORD), or AWS credentials: in GitHub Actions with aws-actions/configure-aws-credentials'
    const message = `no password is given and AWS has no credentials to make a token with: ${messageOf(cause)}`
    throw new IngestError('auth_failed', message, { cause, hint })
  }
}
