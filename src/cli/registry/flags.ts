/** What the commands about targets, buckets and the journal have in common. */

import type { StateFlags } from '../../config/state.js'
import type { Action, Format } from '../context.js'

export type RegistryFlags = StateFlags & {
  readonly format: Format
  readonly secretEnv?: string
  readonly bestEffort?: boolean
  readonly required?: boolean
  readonly bucket?: string
  readonly insecureLocal?: boolean
  readonly rolePolicy?: string
  readonly region?: string
  /** False after `--no-check`. */
  readonly check?: boolean
  readonly root?: string
  readonly file?: string
  readonly target?: string
  /** Milliseconds. */
  readonly since?: number
  readonly limit?: number
  readonly minutes?: number
}

export type RegistryAction = Action<RegistryFlags>
