/** Classifies errors of S3 for writers and retries, and turns them into `IngestError`s for people. */

import { S3ServiceException } from '@aws-sdk/client-s3'
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
/** Client errors that a retry may fix. For skewed clocks: the SDK adjusts its clock after the first response. */
const TRANSIENT = ['RequestTimeout', 'RequestTimeTooSkewed', 'RequestExpired', 'ConditionalRequestConflict', 'SlowDown']
const PERMISSIONS =
  'grant s3:GetObject, s3:PutObject and s3:DeleteObject on the prefix, and s3:ListBucket on the bucket'

/** Names and messages that the SDK makes up when an answer has none. */
const NAMELESS = ['Unknown', 'UnknownError']

export function isMissing(error: unknown): boolean {
  return ['NoSuchKey', 'NotFound'].includes(errorName(error))
}

/** Whether the condition of a write did not hold. A 409 is not such an error: it reports a concurrent write and asks for a retry. */
export function isConditionFailed(error: unknown): boolean {
  return httpStatus(error) === 412
}

/** Whether the request may have taken effect: there was no response, or one that does not tell. */
export function isOutcomeUnknown(error: unknown): boolean {
  const status = httpStatus(error)
  return !isBeforeRequest(error) && (status === undefined || status >= 500 || status < 400)
}

/** Whether a retry may succeed. */
export function isTransient(error: unknown): boolean {
  const status = httpStatus(error)
  return isOutcomeUnknown(error) || status === 409 || status === 429 || TRANSIENT.includes(errorName(error))
}

/** @param location of the bucket, for messages */
export function s3Error(location: string, cause: unknown): IngestError {
  if (cause instanceof IngestError) return cause
  const [name, status] = [errorName(cause), httpStatus(cause)]
  const failed = (what: string, hint: string): IngestError =>
    new IngestError('storage_failed', `${location}: ${what}`, { cause, hint })
  if (name === 'CredentialsProviderError')
    return deniedError(
      location,
      cause,
      'no AWS credentials found',
      'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; in GitHub Actions, use aws-actions/configure-aws-credentials',
    )
  if (DENIED.includes(name))
    return deniedError(location, cause, `the credentials are refused (${name})`, 'renew the credentials')
  if (status === 401 || status === 403) return deniedError(location, cause, 'access denied', PERMISSIONS)
  if (name === 'NoSuchBucket') return failed('the bucket does not exist', 'create it, or check its name and region')
  if (isRegionMissing(cause)) return failed('no AWS region is set', 'add ?region=… to the address, or set AWS_REGION')
  if (status === 301 || name === 'PermanentRedirect')
    return failed('the bucket is in another region', 'add ?region=… to the address')
  if (status === undefined)
    return failed(`cannot be reached: ${networkReason(cause)}`, 'check the network and the endpoint')
  return failed(answerText(cause, status), 'run the command again later')
}

/** The SDK's own errors about an answer that it cannot read have no code of S3, and name hidden members of objects. */
function answerText(error: unknown, status: number): string {
  const isOfS3 = error instanceof S3ServiceException && !NAMELESS.includes(error.name)
  if (!isOfS3 && status < 400)
    return `answered ${status}, but the answer cannot be read: it was cut short, or is not from S3`
  if (!isOfS3) return `answered ${status}`
  return `answered ${status} ${error.name}${NAMELESS.includes(error.message) ? '' : `: ${error.message}`}`
}

function deniedError(location: string, cause: unknown, what: string, hint: string): IngestError {
  return new IngestError('storage_denied', `${location}: ${what}`, { cause, hint })
}

/** Whether the error occurred before a request was sent. */
function isBeforeRequest(error: unknown): boolean {
  return errorName(error) === 'CredentialsProviderError' || isRegionMissing(error)
}

function isRegionMissing(error: unknown): boolean {
  return /region is missing/i.test(messageOf(error))
}

/** The SDK leaves the message of some network errors empty, so the code or name is used instead. */
function networkReason(error: unknown): string {
  if (messageOf(error) === 'aborted') return 'the connection was closed before the whole answer arrived'
  return messageOf(error) || systemCodeOf(error) || errorName(error)
}

function errorName(error: unknown): string {
  return (error as S3Error | undefined)?.name ?? ''
}

function httpStatus(error: unknown): number | undefined {
  return (error as S3Error | undefined)?.$metadata?.httpStatusCode
}
