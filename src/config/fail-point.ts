/** The fail point that a test sets; undefined in normal use. */

import type { Environment } from '../commit/ci.js'

export function failPointOf(env: Environment): string | undefined {
  return env['VORTEX_INGEST_TEST_FAIL_POINT'] || undefined
}
