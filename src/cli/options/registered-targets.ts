/** Opens registered targets for a delivery. */

import { archiveAddress, registeredDatabase, registeredServer, type DeliveryFlags } from '../../config/registered.js'
import type { StateConfig } from '../../config/state.js'
import type { WriteSettingFlags } from '../../config/write-settings.js'
import type { ReadTargets, Target } from '../../delivery/target.js'
import { IngestError } from '../../errors.js'
import type { SinkOpener } from '../../targets/sink.js'
import { openBucket } from '../../state/bucket-objects.js'
import { BUILT_IN } from '../../state/buckets.js'
import { readRegistry, reportedKind, type RegisteredTarget, type Registry } from '../../state/registry.js'
import { requireTarget } from '../../state/targets.js'
import type { Context } from '../context.js'
import { openConfiguredState } from './open-state.js'
import { databaseOpener, serverOpener, settingsOf, warnInsecure, warnPlain } from './targets.js'

export type RegisteredFlags = DeliveryFlags & WriteSettingFlags & { readonly target?: readonly string[] }

/** The registered targets of a command, and a function that reads the registry again. */
export type Registration = { readonly targets: readonly Target[]; readonly readTargets: ReadTargets }

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
  if (flags.insecureLocal === true)
    throw new IngestError('usage', '--insecure-local goes with --postgres', {
      hint: 'a registered target has its own: vortex-ingest targets add … --insecure-local',
    })
  const opened = new OpenedOnce({ config, flags, context })
  const targets = await Promise.all(chosen.map(target => opened.get(target, registry, openOrFail)))
  const readTargets: ReadTargets = async storage => {
    const registry = await readRegistry(storage)
    return Promise.all(chosenOf(registry, flags.target).map(target => opened.get(target, registry, openOrFailAlone)))
  }
  return { targets, readTargets }
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
  readonly flags: DeliveryFlags & WriteSettingFlags
  readonly context: Context
}

/**
 * Opens a target. A best-effort target that cannot be opened, for example without its token, becomes a target whose
 * delivery fails; the other targets are unaffected.
 * @throws {IngestError} if a required target cannot be opened
 */
async function openOrFail(target: RegisteredTarget, surroundings: Surroundings): Promise<Target> {
  try {
    return await openTarget(target, surroundings)
  } catch (error) {
    if (target.isRequired) throw error
    return failing(target, error)
  }
}

/** Opens a target that was registered while the command ran. If that fails, only this target fails, even if it is required. */
function openOrFailAlone(target: RegisteredTarget, surroundings: Surroundings): Promise<Target> {
  return openTarget(target, surroundings).catch((error: unknown) => failing(target, error))
}

function failing({ name, isRequired, identity, kind, bucket, addedAt }: RegisteredTarget, error: unknown): Target {
  const open = async (): Promise<never> => {
    throw error
  }
  const opener: SinkOpener = { id: identity, description: name, opensEarly: false, open }
  return { name, kind: reportedKind(kind), registered: { addedAt, isRequired, bucket }, opener }
}

function chosenOf(registry: Registry, names: readonly string[] | undefined): readonly RegisteredTarget[] {
  const chosen = [...registry.targets.values()].filter(({ name }) => names?.includes(name) ?? true)
  return [...chosen.filter(({ isRequired }) => isRequired), ...chosen.filter(({ isRequired }) => !isRequired)]
}

/**
 * Opens a database target whose deliveries run completely and are then rolled back.
 * @throws {IngestError} `usage` for a target that has no transactions to roll back
 */
export async function openForTrials(
  target: RegisteredTarget,
  flags: DeliveryFlags,
  context: Context,
): Promise<SinkOpener> {
  const { name, kind } = target
  if (kind !== 'postgres' && kind !== 'embedded') {
    const hint = kind === 'http' ? 'its settings are --max-envelope-bytes and --compress' : 'an archive has no settings'
    throw new IngestError('usage', `${name} cannot be tuned: what ${kind} was sent cannot be rolled back`, { hint })
  }
  const config = registeredDatabase(target, flags, context.env)
  warnInsecure(config, context)
  return databaseOpener(config, context, 'rehearse')
}

/** Creates a target from its registration, without connecting to it. */
async function openTarget(target: RegisteredTarget, surroundings: Surroundings): Promise<Target> {
  const { name, isRequired, kind, bucket, addedAt } = target
  const { flags, context } = surroundings
  const registered = { addedAt, isRequired, bucket }
  const settings = settingsOf(kind, flags, context)
  switch (kind) {
    case 'http': {
      const config = await registeredServer(target, flags, context.env)
      warnPlain(config, context)
      return { name, kind: 'server', registered, settings, opener: await serverOpener(config, context) }
    }
    case 'postgres':
    case 'embedded': {
      const config = registeredDatabase(target, flags, context.env)
      warnInsecure(config, context)
      return { name, kind, registered, settings, opener: await databaseOpener(config, context) }
    }
    case 'archive':
      return { name, kind, registered, opener: await archiveOpener(target.address, surroundings) }
  }
}

async function archiveOpener(bucket: string, { config, registry, context }: Surroundings): Promise<SinkOpener> {
  const { archiveSink, stateArchiveSink } = await import('../../targets/archive/sink.js')
  if (!BUILT_IN.includes(bucket))
    return archiveSink(archiveAddress(bucket, registry.buckets.get(bucket)?.root), { mustExist: true })
  return stateArchiveSink(bucket, async () => {
    const state = await openConfiguredState(config, context)
    return { ...(await openBucket(state, bucket)), close: () => state.storage.close() }
  })
}
