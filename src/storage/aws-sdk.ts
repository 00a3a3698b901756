/** What every use of AWS's SDK needs, so that it writes nothing on the console, which is the report's alone. */

export const silentLogger = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }

/** Call it before the first client: it advises on Node's version, which is pinned with it. */
export function silenceVersionWarning(): void {
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
}
