/** JSON of a registered target. */

import type { RegisteredTarget } from './registry.js'
import type { RegisteredTargetReport } from '../reports/targets.js'

export function targetDocument(target: RegisteredTarget): RegisteredTargetReport {
  return {
    name: target.name,
    kind: target.kind,
    address: target.address,
    identity: target.identity,
    secret_env: target.secretEnv ?? null,
    required: target.isRequired,
    bucket: target.bucket ?? null,
    insecure_local: target.insecureLocal,
    role_policy: target.rolePolicy ?? null,
    region: target.region ?? null,
    added_at: target.addedAt,
  }
}
