/** Opens registered targets for a delivery. */

import type { StateConfig } from '../../config/state.js'
import { optionName } from '../../config/option.js'
import type { ReadTargets, Target } from '../../delivery/target.js'
import { IngestError } from '../../errors.js'
import { openBucket } from '../../state/bucket-objects.js'
import { readRegistry, type RegisteredTarget, type Registry } from '../../state/registry.js'
import type { State } from '../../state/state.js'
import { requireTarget } from '../../state/targets.js'
import type { StateBuckets } from '../../targets/kind.js'
import { TARGET_KINDS, type TargetFlags } from '../../targets/kinds.js'
import { assertSameTarget, registeredKind, registeredOptions } from '../../targets/registered.js'
import type { SinkOpener } from '../../targets/sink.js'
import type { PiiFilter } from '../../pii/pii-filter.js'
import type { Context } from '../context.js'
import { openConfiguredState } from './open-state.js'
import { openFilter, piiOptions, withFilter } from './pii.js'
import { openWorld, settingsFor } from './target-world.js'

export type RegisteredFlags = TargetFlags & { readonly target?: readonly string[] }

/** The registered targets of a command, and a function that reads the registry again. */
export type Registration = {
  readonly targets: readonly Target[]
  readonly readTargets: ReadTargets
  /** The filters of the targets that `--target` leaves out, undefined for one that keeps personal data. */
  readonly laterFilters: readonly (PiiFilter | undefined)[]
}

/**
 * Opens all registered targets, or those that `--target` names. Required targets come first, so that reports begin with them.
 * @returns undefined if no target is registered
 * @throws {IngestError} `not_found`
 */
export async function openRegistered(
  config: StateConfig,
  flags: RegisteredFlags,
  context: Context,
): Promise<Registration | undefined> {
  const { storage } = await openConfiguredState(config, context)
  const registry = await readRegistry(storage).finally(() => storage.close())
  for (const name of flags.target ?? []) requireTarget(registry, name)
  const chosen = chosenOf(registry, flags.target)
  if (chosen.length === 0) return undefined
  assertNoSwitches(flags)
  const opened = new OpenedOnce({ config, flags, context })
  const targets = await Promise.all(chosen.map(target => opened.get(target, registry, openOrFail)))
  const readTargets: ReadTargets = async storage => {
    const registry = await readRegistry(storage)
    return Promise.all(chosenOf(registry, flags.target).map(target => opened.get(target, registry, openOrFailAlone)))
  }
  const left = [...registry.targets.values()].filter(target => !chosen.includes(target))
  const laterFilters = await Promise.all(left.map(one => openFilter(piiOptions(flags, context.env, one))))
  return { targets, readTargets, laterFilters }
}

/** Refuses switches such as `--insecure-local`, which a registered target has from its registration. */
function assertNoSwitches(flags: TargetFlags): void {
  for (const { address, options } of TARGET_KINDS)
    for (const [name, { needsTarget }] of Object.entries(options)) {
      if (needsTarget !== true || flags[name] !== true) continue
      const flag = `--${optionName(name)}`
      const hint = `a registered target has its own: vortex-ingest targets add … ${flag}`
      throw new IngestError('usage', `${flag} requires --${address}`, { hint })
    }
}

/** Caches opened targets by id. A target that was registered again is opened again. */
class OpenedOnce {
  readonly #made = new Map<string, { readonly addedAt: string; readonly name: string; readonly target: Target }>()

  constructor(private readonly surroundings: Omit<Surroundings, 'registry'>) {}

  async get(registered: RegisteredTarget, registry: Registry, open: typeof openOrFail): Promise<Target> {
    const { identity, addedAt, name } = registered
    const known = this.#made.get(identity)
    // Only `isRequired` can change without a new registration, and it is looked up when the command ends.
    if (known?.addedAt === addedAt && known.name === name) return known.target
    const target = await open(registered, { ...this.surroundings, registry })
    this.#made.set(identity, { addedAt, name, target })
    return target
  }
}

type Surroundings = {
  /** The state in which the targets are registered. */
  readonly config: StateConfig
  readonly registry: Registry
  readonly flags: TargetFlags
  readonly context: Context
}

/**
 * Opens a target. A best-effort target that cannot be opened, for example without its token, becomes a target whose
 * delivery fails; the other targets are unaffected.
 * @throws {IngestError} if a required target cannot be opened, or the key for masking is missing
 */
async function openOrFail(target: RegisteredTarget, surroundings: Surroundings): Promise<Target> {
  const { flags, context } = surroundings
  // Without its key, a target that masks would make the state keep what the target must not get.
  const filter = await openFilter(piiOptions(flags, context.env, target))
  try {
    return await openTarget(target, surroundings)
  } catch (error) {
    if (target.isRequired) throw error
    return failing(target, error, filter)
  }
}

/** Opens a target that was registered while the command ran. If that fails, only this target fails, even if it is required. */
function openOrFailAlone(target: RegisteredTarget, surroundings: Surroundings): Promise<Target> {
  return openTarget(target, surroundings).catch((error: unknown) => failing(target, error))
}

function failing(target: RegisteredTarget, error: unknown, pii?: PiiFilter): Target {
  const { name, isRequired, identity, kind, bucket, addedAt } = target
  const open = async (): Promise<never> => {
    throw error
  }
  const opener: SinkOpener = { id: identity, description: name, opensEarly: false, open, ...(pii && { pii }) }
  return { name, kind, registered: { addedAt, isRequired, bucket }, opener }
}

function chosenOf(registry: Registry, names: readonly string[] | undefined): readonly RegisteredTarget[] {
  const chosen = [...registry.targets.values()].filter(({ name }) => names?.includes(name) ?? true)
  return [...chosen.filter(({ isRequired }) => isRequired), ...chosen.filter(({ isRequired }) => !isRequired)]
}

/**
 * Opens a target whose deliveries run completely and are then rolled back.
 * @throws {IngestError} `usage` for a target that has no transactions to roll back
 */
export async function openForTrials(
  target: RegisteredTarget,
  flags: TargetFlags,
  context: Context,
): Promise<SinkOpener> {
  const { name, kind } = target
  if (registeredKind(target).tunables.length > 0)
    return openRegisteredSink(target, flags, { ...openWorld(context), name, rehearse: true })
  const tunable = TARGET_KINDS.filter(({ tunables }) => tunables.length > 0).map(one => one.kind)
  throw new IngestError('usage', `${name} cannot be tuned: what ${kind} was sent cannot be rolled back`, {
    hint: `targets of the kind ${tunable.join(' or ')} can be tuned`,
  })
}

/** Creates a target from its registration, without connecting to it. */
async function openTarget(target: RegisteredTarget, surroundings: Surroundings): Promise<Target> {
  const { name, isRequired, kind, bucket, addedAt } = target
  const { flags, context } = surroundings
  const world = { ...openWorld(context, bucketsOf(surroundings)), name }
  const opener = await openRegisteredSink(target, flags, world)
  const settings = settingsFor(registeredKind(target), flags, context)
  return { name, kind, registered: { addedAt, isRequired, bucket }, opener, ...settings }
}

async function openRegisteredSink(
  target: RegisteredTarget,
  flags: TargetFlags,
  world: ReturnType<typeof openWorld>,
): Promise<SinkOpener> {
  const options = registeredOptions(target, flags)
  const opener = await registeredKind(target).open(options, world)
  await assertSameTarget(target, options, world)
  return withFilter(opener, await openFilter(piiOptions(flags, world.env, target)))
}

/** The buckets of a state that is opened again for each bucket in it. */
function bucketsOf({ config, registry, context }: Surroundings): StateBuckets {
  const open: StateBuckets['open'] = async name => {
    const state = await openConfiguredState(config, context)
    return { ...(await openBucket(state, name)), close: () => state.storage.close() }
  }
  return { root: name => registry.buckets.get(name)?.root, open }
}

/** The buckets of an open state. */
export function openStateBuckets(state: State, { buckets }: Registry): StateBuckets {
  return { root: name => buckets.get(name)?.root, open: name => openBucket(state, name) }
}
