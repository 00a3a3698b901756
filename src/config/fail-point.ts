/** Which fault a test asks for; nobody else sets it. */

import type { Environment } from '../commit/ci.js'

export function failPointOf(env: Environment): string | undefined {
  return env['VORTEX_INGEST_TEST_FAIL_POINT'] || undefined
}
