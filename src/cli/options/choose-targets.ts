/** Chooses the targets of a command: the targets that its flags name, otherwise the registered targets of its state. */

import { stateConfig, type StateFlags } from '../../config/state.js'
import { requirement, writeConfig, type Requirement, type WriteFlags } from '../../config/write.js'
import type { WriteSettingFlags } from '../../config/write-settings.js'
import type { ReadTargets, Target } from '../../delivery/target.js'
import { IngestError } from '../../errors.js'
import type { Context } from '../context.js'
import type { Registration } from './registered-targets.js'
import { targetsOf, warnInsecure, warnPlain } from './targets.js'

export type ChoiceFlags = WriteFlags &
  WriteSettingFlags &
  StateFlags & {
    /** Names of registered targets. */
    readonly target?: readonly string[]
    readonly require?: Requirement
  }

export type Chosen = {
  readonly targets: readonly Target[]
  /** Undefined when the flag is absent. The registrations then decide which targets are required, or the order of paths does. */
  readonly require: Requirement | undefined
  /** For registered targets: reads the registry again and returns its current targets. */
  readonly readTargets?: ReadTargets
}

/**
 * Opens the targets of a command and prints warnings about insecure connections.
 * @throws {IngestError} `usage`, `not_found`
 */
export async function chooseTargets(flags: ChoiceFlags, context: Context): Promise<Chosen> {
  const registered = await registeredTargets(flags, context)
  if (registered !== undefined) return { ...registered, require: flags.require }
  const config = await writeConfig(flags, context.env)
  const require = requirement(flags.require, config)
  const targets = await targetsOf(config, flags, context)
  warnInsecure(config.database, context)
  warnPlain(config.server, context)
  return { targets, require }
}

/** Whether the flags name a target. If they do, registered targets are not used. */
export function namesTarget(flags: ChoiceFlags): boolean {
  return [flags.server, flags.postgres, flags.embedded, flags.archive].some(target => target !== undefined)
}

/** @returns undefined if the flags name the targets, or if there is no state or no registered target */
async function registeredTargets(flags: ChoiceFlags, context: Context): Promise<Registration | undefined> {
  const state = stateConfig(flags, context.env)
  const isChosen = flags.target !== undefined
  if (isChosen && namesTarget(flags))
    throw new IngestError('usage', '--target names registered targets, and other flags name others', {
      hint: 'give --target NAME, or --server, --postgres, --embedded or --archive',
    })
  if (isChosen && state === undefined)
    throw new IngestError('usage', '--target goes with --state, where targets are registered')
  if (state === undefined || namesTarget(flags)) return undefined
  const { openRegistered } = await import('./registered-targets.js')
  return openRegistered(state, flags, context)
}
