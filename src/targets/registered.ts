/** Validates a target when it is registered, and turns a registered target into the options of its kind. */

import { isVariableName } from '../config/environment.js'
import { optionName, type OptionDeclaration } from '../config/option.js'
import { IngestError } from '../errors.js'
import type { RegisteredTarget } from '../state/registry.js'
import type { TargetKind, TargetWorld } from './kind.js'
import { findKind, parseKind, TARGET_KINDS, type TargetFlags } from './kinds.js'

export type TargetInput = {
  readonly name: string
  readonly kind: string
  readonly address: string | undefined
  readonly isRequired: boolean
  /** Values of registration options by option name. */
  readonly options: TargetFlags
}

/** The options that have a field of their own in the registry. */
type OwnFields = Pick<RegisteredTarget, 'secretEnv' | 'bucket' | 'insecureLocal' | 'rolePolicy' | 'region'>

/**
 * Validates a target for registration without connecting to it.
 * @throws {IngestError} `usage` when it is invalid
 */
export async function targetToRegister(
  { name, kind: word, address: text, isRequired, options }: TargetInput,
  world: TargetWorld,
): Promise<Omit<RegisteredTarget, 'addedAt'>> {
  const kind = parseKind(word)
  assertFits(kind, text, options)
  const { secretEnv, bucket, insecureLocal = false, rolePolicy, region, ...further } = options as Partial<OwnFields>
  const address = await kind.registration.storedAddress({ ...options, [kind.address]: text }, world)
  const own = { secretEnv, bucket, insecureLocal, rolePolicy, region }
  const target = { name, kind: kind.kind, address, isRequired, ...own, ...furtherOptions(further) }
  return { ...target, identity: await kind.targetId(optionsOf(kind, target), world) }
}

/** The registration options among the flags of a command. */
export function givenRegistration(flags: TargetFlags): TargetFlags {
  const names = TARGET_KINDS.flatMap(({ registration }) => Object.keys(registration.options))
  return Object.fromEntries(names.flatMap(name => (flags[name] === undefined ? [] : [[name, flags[name]]])))
}

function furtherOptions(options: TargetFlags): Pick<RegisteredTarget, 'options'> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  return given.length === 0 ? {} : { options: Object.fromEntries(given.map(([name, value]) => [name, String(value)])) }
}

function assertFits(kind: TargetKind, address: string | undefined, options: TargetFlags): void {
  const { registration } = kind
  if (registration.address !== '' && address === undefined)
    throw usageError(`the address of the ${kind.kind} target is missing`)
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || value === false) continue
    const option = registration.options[name]
    if (option === undefined)
      throw usageError(`--${optionName(name)} is an option of ${takersOf(name)}, not of ${kind.kind}`)
    assertSecretOutside(name, option, value)
  }
}

function takersOf(name: string): string {
  const takers = TARGET_KINDS.filter(({ registration }) => registration.options[name] !== undefined)
  return takers.map(({ kind }) => kind).join(' and ')
}

/** The registry stores the names of variables. Everybody with access to the state could read a secret in it. */
function assertSecretOutside(name: string, { secret }: OptionDeclaration, value: unknown): void {
  if (secret !== 'variable' || (typeof value === 'string' && isVariableName(value))) return
  const flag = `--${optionName(name)}`
  const hint = `for example ${flag} INGEST_BEARER_TOKEN; do not give the secret itself`
  throw new IngestError('usage', `${flag} must be the name of an environment variable`, { hint })
}

function usageError(message: string): IngestError {
  const forms = TARGET_KINDS.map(({ kind, registration: { address, storedAs = '' } }) =>
    address === '' ? `NAME ${kind} --${storedAs} ${storedAs.toUpperCase()}` : `NAME ${kind} ${address}`,
  )
  const list = `${forms.slice(0, -1).join(', ')}, or ${forms.at(-1)}`
  const hint = `${list}; a token or password stays in the variable that --secret-env names`
  return new IngestError('usage', message, { hint })
}

type Stored = Omit<RegisteredTarget, 'addedAt' | 'identity'>

/**
 * The options of a registered target. Of the flags of a command only those apply that belong to each delivery.
 * @throws {IngestError} `state_version` for a kind that a later version has registered
 */
export function registeredOptions(target: RegisteredTarget, flags: TargetFlags): TargetFlags {
  const kind = registeredKind(target)
  const given = Object.entries(flags).filter(([name]) => kind.deliveryOptions[name] !== undefined)
  return { ...Object.fromEntries(given), ...optionsOf(kind, target) }
}

function optionsOf(kind: TargetKind, { address, ...target }: Stored): TargetFlags {
  const { secretEnv, bucket, insecureLocal, rolePolicy, region, options = {} } = target
  const declared = kind.registration.options
  const stored = Object.entries({ secretEnv, bucket, insecureLocal, rolePolicy, region })
  const own = stored.filter(([name, value]) => value !== undefined && declared[name] !== undefined)
  const further: Record<string, unknown> = {}
  for (const [name, text] of Object.entries(options)) further[name] = declared[name]?.type?.parse(text) ?? text
  return {
    ...Object.fromEntries(own),
    ...further,
    [kind.registration.storedAs ?? kind.address]: address,
  }
}

/** @throws {IngestError} `state_version` for a kind that a later version has registered */
export function registeredKind({ name, kind }: RegisteredTarget): TargetKind {
  const found = findKind(kind)
  if (found !== undefined) return found
  const hint = 'use the version that registered it'
  throw new IngestError('state_version', `the target ${name} is of the unknown kind ${kind}`, { hint })
}

/**
 * Checks that the address still leads to the target that was registered, because the target's watermarks are only valid
 * for that one.
 * @throws {IngestError} `config_invalid`
 */
export async function assertSameTarget(
  target: RegisteredTarget,
  options: TargetFlags,
  world: TargetWorld,
): Promise<void> {
  const kind = registeredKind(target)
  const id = await kind.targetId(options, world)
  if (id === target.identity) return
  const hint = kind.registration.movedHint ?? 'remove the target and register it again'
  throw new IngestError(
    'config_invalid',
    `the address of the target ${target.name} leads to ${id}, but it was registered as ${target.identity}`,
    { hint },
  )
}
