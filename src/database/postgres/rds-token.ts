/**
 * Creates RDS login tokens, which replace passwords: presigned AWS requests that are never sent and are valid for 15 minutes.
 */

import { createHash, createHmac } from 'node:crypto'
import { IngestError, messageOf } from '../../errors.js'
import type { AwsCredentials } from './aws-chain.js'
import { isRdsHost, type AwsSettings, type PostgresAddress } from './dsn.js'

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
    if (cause instanceof IngestError) throw cause
    const hint =
      'give a password (PGPASSWORD), or AWS credentials: in GitHub Actions with aws-actions/configure-aws-credentials'
    const message = `no password is given and AWS has no credentials to make a token with: ${messageOf(cause)}`
    throw new IngestError('auth_failed', message, { cause, hint })
  }
}

export type TokenRequest = {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly region: string
  readonly credentials: AwsCredentials
  readonly now: Date
}

const LIFETIME_S = 900
const ALGORITHM = 'AWS4-HMAC-SHA256'

/** Creates a token, byte for byte equal to that of AWS's signer (Signature Version 4 with query parameters). */
export function rdsToken({ host, port, user, region, credentials, now }: TokenRequest): string {
  const date = now.toISOString().replace(/[-:]|\.\d{3}/g, '')
  const scope = [date.slice(0, 8), region, 'rds-db', 'aws4_request']
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  const parameters = {
    Action: 'connect',
    DBUser: user,
    'X-Amz-Algorithm': ALGORITHM,
    'X-Amz-Credential': [accessKeyId, ...scope].join('/'),
    'X-Amz-Date': date,
    'X-Amz-Expires': String(LIFETIME_S),
    ...(sessionToken && { 'X-Amz-Security-Token': sessionToken }),
    'X-Amz-SignedHeaders': 'host',
  }
  const request = `GET\n/\n${query(parameters)}\nhost:${host}:${port}\n\nhost\n${sha256('')}`
  const toSign = [ALGORITHM, date, scope.join('/'), sha256(request)].join('\n')
  const key = scope.reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${secretAccessKey}`)
  const signature = hmac(key, toSign).toString('hex')
  return `${host}:${port}/?${query({ ...parameters, 'X-Amz-Signature': signature })}`
}

function query(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name}=${encode(value)}`)
    .sort()
    .join('&')
}

/**
 * Percent-encodes everything but RFC 3986's unreserved characters. encodeURIComponent leaves five more characters unencoded.
 */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
