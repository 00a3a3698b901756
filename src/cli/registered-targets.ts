/** Registered targets as those of a delivery. */

import { archiveAddress, registeredDatabase, registeredServer, type DeliveryFlags } from '../config/registered.js'
import type { StateConfig } from '../config/state.js'
import type { WriteSettingFlags } from '../config/write-settings.js'
import type { Target } from '../delivery/opening.js'
import { IngestError } from '../errors.js'
import type { SinkOpener } from '../sink/sink.js'
import { readRegistry, type RegisteredTarget, type Registry } from '../state/registry.js'
import { targetOf } from '../state/targets.js'
import type { Context } from './context.js'
import { openState } from './open-state.js'
import { databaseOpener, serverOpener, settingsOf, warnInsecure, warnPlain } from './targets.js'

export type RegisteredFlags = DeliveryFlags & WriteSettingFlags & { readonly target?: readonly string[] }

/**
 * All of them, or those that `--target` names; required ones first, so that reports begin with what decides.
 * @returns undefined where none is registered
 * @throws {IngestError} `not_found`
 */
export async function openRegistered(
  config: StateConfig,
  flags: RegisteredFlags,
  context: Context,
): Promise<readonly Target[] | undefined> {
  const { storage } = await openState(config, context)
  const registry = await readRegistry(storage).finally(() => storage.close())
  const chosen = chosenOf(registry, flags.target)
  if (chosen.length === 0) return undefined
  if (flags.insecureLocal === true)
    throw new IngestError('usage', '--insecure-local goes with --postgres', {
      hint: 'a registered target has its own: vortex-ingest targets add … --insecure-local',
    })
  return Promise.all(chosen.map(target => openOrFail(target, { registry, flags, context })))
}

type Surroundings = {
  readonly registry: Registry
  readonly flags: DeliveryFlags & WriteSettingFlags
  readonly context: Context
}

/** What is wrong with a best-effort target, such as a missing token, is that target's failure alone. */
async function openOrFail(target: RegisteredTarget, surroundings: Surroundings): Promise<Target> {
  try {
    return await openTarget(target, surroundings)
  } catch (error) {
    if (target.isRequired) throw error
    const { name, isRequired, identity, kind } = target
    const open = async (): Promise<never> => {
      throw error
    }
    const opener: SinkOpener = { id: identity, description: name, early: false, open }
    return { name: kind === 'http' ? 'server' : kind, registered: { name, isRequired }, opener }
  }
}

function chosenOf(registry: Registry, names: readonly string[] | undefined): readonly RegisteredTarget[] {
  const chosen =
    names === undefined ? [...registry.targets.values()] : [...new Set(names)].map(one => targetOf(registry, one))
  return [...chosen.filter(({ isRequired }) => isRequired), ...chosen.filter(({ isRequired }) => !isRequired)]
}

/**
 * A database whose deliveries are made in full and rolled back.
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

/** Asks nobody yet. */
async function openTarget(target: RegisteredTarget, { registry, flags, context }: Surroundings): Promise<Target> {
  const { name, isRequired, kind } = target
  const registered = { name, isRequired }
  const settings = settingsOf(kind, flags, context)
  switch (kind) {
    case 'http': {
      const config = await registeredServer(target, flags, context.env)
      warnPlain(config, context)
      return { name: 'server', registered, settings, opener: await serverOpener(config, context) }
    }
    case 'postgres':
    case 'embedded': {
      const config = registeredDatabase(target, flags, context.env)
      warnInsecure(config, context)
      return { name: kind, registered, settings, opener: await databaseOpener(config, context) }
    }
    case 'archive': {
      const { archiveSink } = await import('../sink/archive/sink.js')
      const address = archiveAddress(target.address, registry.buckets.get(target.address)?.root)
      return { name: kind, registered, opener: archiveSink(address) }
    }
  }
}
