/**
 * Creates RDS login tokens, which replace passwords: presigned AWS requests that are never sent and are valid for 15 minutes.
 */
import { createHash, createHmac } from 'node:crypto'

export type AwsCredentials = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
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
