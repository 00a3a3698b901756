/** A target: a named destination of deliveries. */

import type { UsedSetting } from '../database/tunables.js'
import type { Promotion } from '../state/promotions.js'
import type { Storage } from '../storage/storage.js'
import type { SinkOpener } from '../targets/sink.js'

export type Target = {
  /** The registered name; for a target that is not registered its kind. */
  readonly name: string
  readonly kind: string
  /** Absent for a target that is not registered. */
  readonly registered?: Registered
  /** Whether a failure of this target fails the push. If no target sets it, only a failure of the first target does. */
  readonly isRequired?: boolean
  /** Opens the target. Its `id` is the id of the target. */
  readonly opener: SinkOpener
  /** The write settings; absent to use the sink's defaults. */
  readonly settings?: SettingsOf
}

/** The registration of a target. */
type Registered = {
  /** RFC 3339. A target that was registered again has a later time, and may have a new address or token. */
  readonly addedAt: string
  readonly isRequired: boolean
  /** The bucket of an archive; undefined for other kinds. */
  readonly bucket?: string | undefined
}

/**
 * Returns the write settings for the next delivery.
 * @param promotion the promotion in force for a registered target
 */
export type SettingsOf = (promotion: Promotion | undefined) => readonly UsedSetting[]

/** Reads the currently registered targets. */
export type ReadTargets = (storage: Storage) => Promise<readonly Target[]>
