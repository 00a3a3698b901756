/** Prepares the AWS SDK: it must verify certificates, and only reports may write to the console. */

import { IngestError } from '../errors.js'

export const silentLogger = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }

/**
 * Call this before creating a client. Suppresses the SDK's warning about Node versions.
 * @throws {IngestError} `config_invalid` when Node was told not to verify certificates, because the SDK's many clients
 * obey that variable. All other clients of this program set the verification explicitly
 */
export function prepareAwsSdk(): void {
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
  if (process.env['NODE_TLS_REJECT_UNAUTHORIZED'] !== '0') return
  const hint = 'unset it; to trust another authority name its PEM file in NODE_EXTRA_CA_CERTS'
  throw new IngestError('config_invalid', 'no connection to AWS or S3 is made with NODE_TLS_REJECT_UNAUTHORIZED=0', {
    hint,
  })
}
