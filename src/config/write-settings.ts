/**
 * The write settings of a delivery and the origin of each value. A flag takes precedence over its variable, which takes
 * precedence over a
 * promoted value.
 */

import { IngestError } from '../errors.js'
import { areWithin, TUNABLES, type Tunable, type UsedSetting } from '../database/tunables.js'
import type { Promotion } from '../state/promotions.js'
import { gzipLevelOf, type CompressMode } from './server.js'
import type { Origins } from './settings.js'

export type WriteSettingFlags = {
  readonly copyBytes?: number
  readonly smallRows?: number
  readonly workMemMib?: number
  readonly maxEnvelopeBytes?: number
  readonly compress?: CompressMode
}

export type GivenSettings = { readonly flags: WriteSettingFlags; readonly origins: Origins }

/** The flag of each setting. */
const FLAGS: Readonly<Partial<Record<string, keyof WriteSettingFlags>>> = {
  'copy-bytes': 'copyBytes',
  'small-rows': 'smallRows',
  'work-mem-mib': 'workMemMib',
  'max-envelope-bytes': 'maxEnvelopeBytes',
  'gzip-level': 'compress',
}

/**
 * The settings for a target kind.
 * @throws {IngestError} `state_version` when this program version does not support the promoted settings
 */
export function writeSettings(
  kind: string,
  { flags, origins }: GivenSettings,
  promotion: Promotion | undefined,
): readonly UsedSetting[] {
  const tunables: readonly Tunable[] = TUNABLES[kind as keyof typeof TUNABLES]
  if (promotion !== undefined) assertKnown(tunables, promotion)
  return tunables.map(({ name, default: value }) => {
    const flag = FLAGS[name]
    const given = flag === undefined ? undefined : valueOf(flags[flag])
    if (given !== undefined) return { name, value: given, origin: origins.get(flag ?? '') ?? 'flag' }
    const promoted = promotion?.settings[name]
    if (promoted !== undefined) return { name, value: promoted, origin: 'promoted', trial: promotion?.trial }
    return { name, value, origin: 'default' }
  })
}

/** `--compress` names a mode; every mode has one gzip level. */
function valueOf(given: number | CompressMode | undefined): number | undefined {
  return typeof given === 'string' ? gzipLevelOf(given) : given
}

function assertKnown(tunables: readonly Tunable[], { trial, settings }: Promotion): void {
  if (areWithin(tunables, settings)) return
  const hint = 'use the version that promoted them, or go back: vortex-ingest rollback --target NAME'
  throw new IngestError('state_version', `the settings of the promoted trial ${trial} are not of this version`, {
    hint,
  })
}
