/** What S3's errors mean: to a writer, to a retry, and to a person. */

import { IngestError, messageOf, systemCodeOf } from '../../errors.js'

type S3Error = {
  readonly name?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
}

const DENIED = [
  'CredentialsProviderError',
  'ExpiredToken',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'TokenRefreshRequired',
]
/** 4xx that a second try may mend: the SDK corrects its clock by the first answer. */
const TRANSIENT = ['RequestTimeout', 'RequestTimeTooSkewed', 'RequestExpired', 'ConditionalRequestConflict', 'SlowDown']
const PERMISSIONS =
  'it needs s3:GetObject, s3:PutObject and s3:DeleteObject on the prefix, and s3:ListBucket on the bucket'

export function isMissing(error: unknown): boolean {
  return ['NoSuchKey', 'NotFound'].includes(errorName(error))
}

/** The condition did not hold. Not a 409, which says that somebody else was at it and to try again. */
export function isConditionFailed(error: unknown): boolean {
  return httpStatus(error) === 412
}

/** No answer, or one that says nothing of what was done. */
export function isOutcomeUnknown(error: unknown): boolean {
  const status = httpStatus(error)
  return !isBeforeRequest(error) && (status === undefined || status >= 500 || status < 400)
}

export function isTransient(error: unknown): boolean {
  const status = httpStatus(error)
  return isOutcomeUnknown(error) || status === 409 || status === 429 || TRANSIENT.includes(errorName(error))
}

export function toIngestError(place: string, cause: unknown): IngestError {
  if (cause instanceof IngestError) return cause
  const [name, status] = [errorName(cause), httpStatus(cause)]
  const failed = (what: string, hint: string): IngestError =>
    new IngestError('storage_failed', `${place}: ${what}`, { cause, hint })
  if (name === 'CredentialsProviderError')
    return deniedError(
      place,
      cause,
      'AWS has no credentials',
      'in GitHub Actions, aws-actions/configure-aws-credentials gives some',
    )
  if (DENIED.includes(name)) return deniedError(place, cause, `the credentials are refused (${name})`, 'renew them')
  if (status === 401 || status === 403) return deniedError(place, cause, 'access denied', PERMISSIONS)
  if (name === 'NoSuchBucket') return failed('there is no such bucket', 'make it, or check its name and region')
  if (isRegionMissing(cause)) return failed('no AWS region is known', 'add ?region=… to the address, or set AWS_REGION')
  if (status === 301 || name === 'PermanentRedirect')
    return failed('the bucket is in another region', 'add ?region=… to the address')
  if (status === undefined)
    return failed(`cannot be reached: ${networkReason(cause)}`, 'check the network and the endpoint')
  return failed(`answered ${status} ${name}: ${messageOf(cause)}`, 'try again later')
}

function deniedError(place: string, cause: unknown, what: string, hint: string): IngestError {
  return new IngestError('storage_denied', `${place}: ${what}`, { cause, hint })
}

/** Nothing was asked yet. */
function isBeforeRequest(error: unknown): boolean {
  return errorName(error) === 'CredentialsProviderError' || isRegionMissing(error)
}

function isRegionMissing(error: unknown): boolean {
  return /region is missing/i.test(messageOf(error))
}

/** The SDK gives some errors of Node's no message. */
function networkReason(error: unknown): string {
  return messageOf(error) || systemCodeOf(error) || errorName(error)
}

function errorName(error: unknown): string {
  return (error as S3Error | undefined)?.name ?? ''
}

function httpStatus(error: unknown): number | undefined {
  return (error as S3Error | undefined)?.$metadata?.httpStatusCode
}
