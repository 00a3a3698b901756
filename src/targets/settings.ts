/** Lists every setting of a push with the origin of its value. Secrets are only listed as set. */

import { detectCi, type CiRun, type Environment } from '../commit/ci.js'
import { optionName, type OptionDeclaration, type Origins } from '../config/option.js'
import { parseStorageAddress } from '../storage/address.js'
import { archiveLocation } from './archive/options.js'
import type { Setting, TargetKind } from './kind.js'
import { reportedKinds, type TargetFlags } from './kinds.js'

export type GivenFlags = {
  readonly flags: TargetFlags
  readonly origins: Origins
  readonly env: Environment
}

const DEFAULT = 'default'
const UNREADABLE = 'set, but it cannot be read'

export async function listSettings(given: GivenFlags): Promise<readonly Setting[]> {
  const settings = await Promise.all(reportedKinds(given.flags, given.env).map(kind => kindSettings(kind, given)))
  return [...settings.flat(), ...stateSettings(given), ...ciSettings(detectCi(given.env)), ...worldSettings(given.env)]
}

async function kindSettings(kind: TargetKind, given: GivenFlags): Promise<readonly Setting[]> {
  const { flags, origins, env } = given
  const origin = origins.get(kind.address) ?? DEFAULT
  // The tunables are write settings, which are only explained after a delivery.
  const tunables = kind.tunables.map(({ name }) => name)
  const declared = Object.entries({ ...kind.options, ...kind.deliveryOptions })
  const listed = declared.flatMap(([name, option]) => {
    if (name === kind.address || option.secret !== undefined || tunables.includes(optionName(name))) return []
    return optionSetting(name, option, given)
  })
  const value = await addressText(kind, given)
  const further = (await kind.furtherSettings?.(flags, { env, origin })) ?? []
  return [{ name: optionName(kind.address), value, origin }, ...further, ...listed]
}

/** The address as given; one that may contain a password is described without it. */
async function addressText(kind: TargetKind, { flags, env }: GivenFlags): Promise<string> {
  const option = kind.options[kind.address]
  const given = flags[kind.address]
  try {
    const description = await kind.describe(flags, { env })
    if (option?.secret === 'address') return description
    return typeof given === 'string' ? given : String(option?.default ?? given)
  } catch {
    return UNREADABLE
  }
}

function optionSetting(name: string, option: OptionDeclaration, { flags, origins }: GivenFlags): readonly Setting[] {
  const given = flags[name]
  const value = given ?? option.default
  if (value === undefined) return []
  return [{ name: optionName(name), value: valueText(value, option), origin: origins.get(name) ?? DEFAULT }]
}

function valueText(value: unknown, { type }: OptionDeclaration): string {
  return value === true ? 'yes' : (type?.show?.(value) ?? String(value))
}

function stateSettings({ flags: { state }, origins }: GivenFlags): readonly Setting[] {
  if (typeof state !== 'string') return []
  return [{ name: 'state', value: placeText(state), origin: origins.get('state') ?? DEFAULT }]
}

function placeText(text: string): string {
  try {
    return archiveLocation(parseStorageAddress(text))
  } catch {
    return UNREADABLE
  }
}

function ciSettings(ci: CiRun | undefined): readonly Setting[] {
  if (ci === undefined) return []
  const facts = { 'commit-sha': ci.sha, 'repo-url': ci.repoUrl, 'benchmark-id': ci.benchmarkId }
  return Object.entries(facts).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name, value, origin: ci.name }],
  )
}

/** Settings of Node and the operating system that affect a push. */
const WORLD = { TMPDIR: 'tmpdir', SSL_CERT_FILE: 'authorities', NODE_EXTRA_CA_CERTS: 'authorities' }

function worldSettings(env: Environment): readonly Setting[] {
  return Object.entries(WORLD).flatMap(([origin, name]) => {
    const value = env[origin]
    return value ? [{ name, value, origin }] : []
  })
}
