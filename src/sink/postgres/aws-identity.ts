/** Who we are to AWS and in which region, from what is at hand. */
import { IngestError, messageOf } from '../../errors.js'
import type { AwsSettings } from './aws-settings.js'
import type { PostgresAddress } from './dsn.js'
import { isRdsHost } from './dsn-parameters.js'
import { rdsToken } from './rds-token.js'
import type { AwsCredentials } from './rds-token.js'

/** Whether the server is one that takes a token: by its name, or because a region was given for it. */
export function takesToken({ host, tls, aws }: PostgresAddress): boolean {
  // A token goes over the wire as it is.
  return tls === 'verify-full' && aws !== undefined && (aws.region !== undefined || isRdsHost(host))
}

/** @throws {IngestError} `config_invalid` without a region, `auth_failed` without credentials */
export async function mintToken(address: PostgresAddress, aws: AwsSettings, now: Date): Promise<string> {
  const { host, port, user } = address
  const region = await regionOf(host, aws)
  return rdsToken({ host, port, user, region, credentials: await credentialsOf(region, aws), now })
}

/** What to tell whose token was refused, where the region may be the reason. */
export async function regionHint({ host }: PostgresAddress, aws: AwsSettings): Promise<string | undefined> {
  const [used, named] = [await regionOf(host, aws).catch(() => undefined), hostRegion(host)]
  if (used === undefined || named === undefined || used === named) return undefined
  return `the token was made for ${used}, the host name says ${named}: give --region ${named}`
}

/** @see contract section 4: flag, then environment and profile, then the host's name */
async function regionOf(host: string, { region, environment }: AwsSettings): Promise<string> {
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

/** `name.id.region.rds.amazonaws.com`, and with `cluster-` or `proxy-` before the id. */
function hostRegion(host: string): string | undefined {
  return /\.([a-z0-9-]+)\.rds\.amazonaws\.com(?:\.cn)?$/i.exec(host)?.[1]?.toLowerCase()
}

/** Keys in the environment, which is how GitHub Actions has them, need none of AWS's code; a profile wins over them. */
async function credentialsOf(region: string, { environment }: AwsSettings): Promise<AwsCredentials> {
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
