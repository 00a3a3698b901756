/**
 * The write settings of a delivery and the origin of each value. A flag takes precedence over its variable, which takes
 * precedence over a promoted value.
 */

import { optionName, type Origins } from '../config/option.js'
import { areWithin, type Tunable, type UsedSetting } from '../database/tunables.js'
import { IngestError } from '../errors.js'
import type { Promotion } from '../state/promotions.js'
import type { TargetFlags } from './kinds.js'

export type GivenWriteSettings = { readonly flags: TargetFlags; readonly origins: Origins }

/**
 * The settings for a target. A tunable and its option have the same name.
 * @throws {IngestError} `state_version` when this program version does not support the promoted settings
 */
export function writeSettings(
  tunables: readonly Tunable[],
  { flags, origins }: GivenWriteSettings,
  promotion: Promotion | undefined,
): readonly UsedSetting[] {
  if (promotion !== undefined) assertKnown(tunables, promotion)
  const given = new Map(Object.entries(flags).map(([name, value]) => [optionName(name), { name, value }]))
  return tunables.map(({ name, default: value }) => {
    const flag = given.get(name)
    if (typeof flag?.value === 'number') return { name, value: flag.value, origin: origins.get(flag.name) ?? 'flag' }
    const promoted = promotion?.settings[name]
    if (promoted !== undefined) return { name, value: promoted, origin: 'promoted', trial: promotion?.trial }
    return { name, value, origin: 'default' }
  })
}

function assertKnown(tunables: readonly Tunable[], { trial, settings }: Promotion): void {
  if (areWithin(tunables, settings)) return
  const hint = 'use the version that promoted them, or go back: vortex-ingest rollback --target NAME'
  throw new IngestError('state_version', `the settings of the promoted trial ${trial} are not of this version`, {
    hint,
  })
}
