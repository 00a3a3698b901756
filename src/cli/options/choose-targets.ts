/** Chooses the targets of a command: the targets that its flags name, otherwise the registered targets of its state. */

import { stateConfig, type StateFlags } from '../../config/state.js'
import type { ReadTargets, Target } from '../../delivery/target.js'
import { IngestError } from '../../errors.js'
import type { TargetKind } from '../../targets/kind.js'
import {
  assertOneDatabase,
  assertTargetNamed,
  namedKinds,
  TARGET_KINDS,
  usedKinds,
  type TargetFlags,
} from '../../targets/kinds.js'
import type { Context } from '../context.js'
import type { Registration } from './registered-targets.js'
import { openFilter, piiOptions, withFilter } from './pii.js'
import { openWorld, settingsFor } from './target-world.js'

export type ChoiceFlags = TargetFlags &
  StateFlags & {
    /** Names of registered targets. */
    readonly target?: readonly string[]
    readonly require?: Requirement
  }

/** The targets whose failure fails the push: `all`, `any` or those of a kind. */
type Requirement = string

export type Chosen = {
  readonly targets: readonly Target[]
  /** Undefined when the flag is absent. The registrations then decide which targets are required, or the order of paths does. */
  readonly require: Requirement | undefined
  /** For registered targets: reads the registry again and returns its current targets. */
  readonly readTargets?: ReadTargets
  /** The filters of registered targets that `--target` leaves out. */
  readonly laterFilters?: Registration['laterFilters']
}

/**
 * Opens the targets of a command and prints warnings about insecure connections.
 * @throws {IngestError} `usage`, `not_found`
 */
export async function chooseTargets(flags: ChoiceFlags, context: Context): Promise<Chosen> {
  const registered = await registeredTargets(flags, context)
  if (registered !== undefined) return { ...registered, require: flags.require }
  const kinds = usedKinds(flags)
  for (const kind of kinds) assertOneDatabase(kind, flags)
  assertTargetNamed(flags, context.env)
  assertRequirement(flags.require, kinds)
  const targets = await Promise.all(kinds.map(kind => openNamed(kind, flags, context)))
  return { targets, require: flags.require }
}

async function openNamed(kind: TargetKind, flags: TargetFlags, context: Context): Promise<Target> {
  const filter = await openFilter(piiOptions(flags, context.env))
  const opener = await withFilter(await kind.open(flags, openWorld(context)), filter)
  return { name: kind.kind, kind: kind.kind, opener, ...settingsFor(kind, flags, context) }
}

/** @throws {IngestError} `usage` when `--require` names a target that the push does not have */
function assertRequirement(require: Requirement | undefined, kinds: readonly TargetKind[]): void {
  const words = ['all', 'any', ...kinds.map(({ kind }) => kind)]
  if (require === undefined || words.includes(require)) return
  throw new IngestError('usage', `--require ${require}, but no such target is given`, { hint: `--${require} names it` })
}

/** Whether the flags name a target. If they do, registered targets are not used. */
export function namesTarget(flags: TargetFlags): boolean {
  return namedKinds(flags).length > 0
}

/** @returns undefined if the flags name the targets, or if there is no state or no registered target */
async function registeredTargets(flags: ChoiceFlags, context: Context): Promise<Registration | undefined> {
  const state = stateConfig(flags, context.env)
  const isChosen = flags.target !== undefined
  if (isChosen && namesTarget(flags)) {
    const names = TARGET_KINDS.map(({ address }) => `--${address}`)
    throw new IngestError('usage', '--target names registered targets, and other flags name others', {
      hint: `give --target NAME, or ${names.slice(0, -1).join(', ')} or ${names.at(-1)}`,
    })
  }
  if (isChosen && state === undefined)
    throw new IngestError('usage', '--target requires --state, where targets are registered')
  if (state === undefined || namesTarget(flags)) return undefined
  const { openRegistered } = await import('./registered-targets.js')
  return openRegistered(state, flags, context)
}
