/** Types that the `targets`, `buckets` and `journal` commands share. */

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
  /** False with `--no-check`. */
  readonly check?: boolean
  readonly root?: string
  readonly file?: string
  readonly target?: string
  /** Maximum age of events in milliseconds. */
  readonly since?: number
  readonly limit?: number
  readonly minutes?: number
}

export type RegistryAction = Action<RegistryFlags>
