/** Applies `--pii` to targets. The code that masks and drops is loaded only if a target needs it. */

import type { Environment } from '../../commit/ci.js'
import { PII_KEY_VARIABLE } from '../../config/environment.js'
import { PII_MODES, stricterMode, type PiiMode } from '../../contract/pii-mode.js'
import type { PiiFilter, PiiOptions } from '../../pii/pii-filter.js'
import type { RegisteredTarget } from '../../state/registry.js'
import type { TargetFlags } from '../../targets/kinds.js'
import type { SinkOpener } from '../../targets/sink.js'

/** The stricter of the mode that flags name and that of a registered target. */
export function piiOptions(flags: TargetFlags, env: Environment, registered?: RegisteredTarget): PiiOptions {
  const mode = stricterMode(modeOf(flags['pii']), modeOf(registered?.options?.['pii']))
  return { mode, key: env[PII_KEY_VARIABLE] }
}

function modeOf(value: unknown): PiiMode | undefined {
  return PII_MODES.find(mode => mode === value)
}

/** @throws {IngestError} `config_invalid` when masking needs a key and there is none */
export async function openFilter(options: PiiOptions): Promise<PiiFilter | undefined> {
  if (options.mode === 'keep') return undefined
  return (await import('../../pii/pii-filter.js')).piiFilter(options)
}

/** @param filter undefined for a target that gets personal data unchanged */
export async function withFilter(opener: SinkOpener, filter: PiiFilter | undefined): Promise<SinkOpener> {
  if (filter === undefined) return opener
  return (await import('../../delivery/filtered-opener.js')).filteredOpener(opener, filter)
}
