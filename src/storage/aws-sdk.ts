/** Silences the AWS SDK, because only reports may write to the console. */

export const silentLogger = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }

/** Suppresses the SDK's warning about Node versions. Call this before creating the first client. */
export function silenceVersionWarning(): void {
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
}
