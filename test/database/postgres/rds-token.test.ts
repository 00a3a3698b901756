import t from 'tap'
import { Signer } from '@aws-sdk/rds-signer'
import { rdsToken, type TokenRequest } from '../../../src/database/postgres/rds-token.js'

/** The example keys from AWS's documentation, which are not valid. */
const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }

const REQUEST: TokenRequest = {
  ...{ host: 'bench.abc123.eu-west-1.rds.amazonaws.com', port: 5432, user: 'bench_ingest', region: 'eu-west-1' },
  credentials: KEYS,
  now: new Date('2026-11-21T08:00:00Z'),
}

const START =
  'bench.abc123.eu-west-1.rds.amazonaws.com:5432/?Action=connect&DBUser=bench_ingest&X-Amz-Algorithm=AWS4-HMAC-SHA256' +
  '&X-Amz-Credential=AKIDEXAMPLE%2F20261121%2Feu-west-1%2Frds-db%2Faws4_request&X-Amz-Date=20261121T080000Z' +
  '&X-Amz-Expires=900'

/** Runs AWS's signer with a fixed clock, because it reads the system clock itself. */
async function signedByAws({ host, now, user, ...rest }: TokenRequest): Promise<string> {
  const RealDate = Date
  class FixedDate extends RealDate {
    constructor(...args: []) {
      super(...(args.length > 0 ? args : ([now.getTime()] as unknown as [])))
    }
    static override now(): number {
      return now.getTime()
    }
  }
  globalThis.Date = FixedDate as DateConstructor
  try {
    const { credentials } = rest
    const fixed = { accessKeyId: credentials.accessKeyId, secretAccessKey: credentials.secretAccessKey }
    const session = credentials.sessionToken === undefined ? {} : { sessionToken: credentials.sessionToken }
    return await new Signer({
      ...rest,
      hostname: host,
      username: user,
      credentials: { ...fixed, ...session },
    }).getAuthToken()
  } finally {
    globalThis.Date = RealDate
  }
}

t.test('a token equals that of @aws-sdk/rds-signer 3.1169.0 for the same request', t => {
  t.equal(
    rdsToken(REQUEST),
    `${START}&X-Amz-Signature=274261a2171e94d1c5125f7040408f65fdb3e1bae2a3557c1871e5c2529e9af9&X-Amz-SignedHeaders=host`,
  )
  t.equal(
    rdsToken({ ...REQUEST, credentials: { ...KEYS, sessionToken: 'IQoJb3JpZ2luX2VjE+/=token' } }),
    `${START}&X-Amz-Security-Token=IQoJb3JpZ2luX2VjE%2B%2F%3Dtoken` +
      '&X-Amz-Signature=d0cbef7ca10c3bc0181c6dd8f492f06b71518788fea38fa6cc122362c74bcbbf&X-Amz-SignedHeaders=host',
  )
  t.end()
})

t.test('the token equals that of AWS’s signer for any request', async t => {
  const requests: readonly Partial<TokenRequest>[] = [
    {},
    { credentials: { ...KEYS, sessionToken: 'FwoGZXIvYXdzE///token+with=signs/' } },
    { port: 6432, region: 'us-gov-west-1', now: new Date('2028-02-29T23:59:59.999Z') },
    { user: `o'neil (ci)*!~` },
    { user: 'bench ingest@ünï/&=?+%' },
    { host: 'bench.cluster-ro-abc123.cn-north-1.rds.amazonaws.com.cn', region: 'cn-north-1' },
  ]
  for (const change of requests) {
    const request = { ...REQUEST, ...change }
    t.equal(rdsToken(request), await signedByAws(request), JSON.stringify(change))
  }
})
