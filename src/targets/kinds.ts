/** The list of all target kinds, and the choice of kinds by flags. */

import { detectCi, type Environment } from '../commit/ci.js'
import { IngestError } from '../errors.js'
import { redact } from '../redact.js'
import { optionName } from '../config/option.js'
import { ARCHIVE } from './archive/kind.js'
import { EMBEDDED } from './embedded/kind.js'
import type { TargetKind } from './kind.js'
import { POSTGRES } from './postgres/kind.js'
import { SERVER } from './server/kind.js'

/** All kinds in the order of flags, deliveries and reports. */
export const TARGET_KINDS: TargetKind[] = [SERVER, POSTGRES, EMBEDDED, ARCHIVE]

/** The kind of a target that no flag names. */
const DEFAULT_KIND = EMBEDDED

/** Values of flags by option name. */
export type TargetFlags = Readonly<Record<string, unknown>>

export function isDatabase(kind: TargetKind): boolean {
  return kind.openSession !== undefined
}

export function findKind(name: string): TargetKind | undefined {
  return TARGET_KINDS.find(({ kind }) => kind === name)
}

/** @throws {IngestError} `usage` for a word that is no kind */
export function parseKind(word: string): TargetKind {
  const found = findKind(word)
  if (found !== undefined) return found
  const hint = `use one of: ${TARGET_KINDS.map(({ kind }) => kind).join(', ')}`
  throw new IngestError('usage', `unknown target kind ${redact(word)}`, { hint })
}

/** The kinds that flags name. */
export function namedKinds(flags: TargetFlags): readonly TargetKind[] {
  return TARGET_KINDS.filter(({ address }) => flags[address] !== undefined)
}

/** The kinds that a push with these flags delivers to: those that are named, otherwise the default. */
export function usedKinds(flags: TargetFlags): readonly TargetKind[] {
  const named = namedKinds(flags)
  return named.length > 0 ? named : [DEFAULT_KIND]
}

/**
 * The kinds that reports about the flags of a push cover. Only the first of two databases is among them, because a push
 * refuses both. In CI there is no default.
 */
export function reportedKinds(flags: TargetFlags, env: Environment): readonly TargetKind[] {
  if (namedKinds(flags).length === 0 && detectCi(env) !== undefined) return []
  const kinds = usedKinds(flags)
  const database = kinds.find(isDatabase)
  return kinds.filter(kind => kind === database || !isDatabase(kind))
}

/**
 * The database that flags name, otherwise the default one.
 * @throws {IngestError} `usage` when they name two, or an option belongs to another kind
 */
export function namedDatabase(flags: TargetFlags): TargetKind {
  const kind = namedKinds(flags).find(isDatabase) ?? DEFAULT_KIND
  assertOneDatabase(kind, flags)
  return kind
}

/**
 * Checks that flags for another database are not given with this one.
 * @throws {IngestError} `usage`
 */
export function assertOneDatabase(kind: TargetKind, flags: TargetFlags): void {
  if (!isDatabase(kind)) return
  for (const other of TARGET_KINDS.filter(one => one !== kind && isDatabase(one))) {
    if (flags[other.address] !== undefined) {
      const [first, second] = [kind, other].sort((a, b) => TARGET_KINDS.indexOf(a) - TARGET_KINDS.indexOf(b))
      const message = `--${first?.address} and --${second?.address} name two targets`
      throw new IngestError('usage', message, { hint: 'give one of them' })
    }
    const lone = Object.entries(other.options).find(([name, { needsTarget }]) => needsTarget && flags[name] === true)
    if (lone !== undefined) throw new IngestError('usage', `--${optionName(lone[0])} requires --${other.address}`)
  }
}

/**
 * Checks that a target is given in CI. Elsewhere the default is the embedded database, but a CI job's folders are
 * deleted, so a successful job would have lost its data.
 * @throws {IngestError} `usage` when no target is given in CI
 */
export function assertTargetNamed(flags: TargetFlags, env: Environment): void {
  const ci = detectCi(env)
  if (ci === undefined || namedKinds(flags).length > 0) return
  const hint = 'give --server URL or --postgres DSN, or --embedded for a database that ends with this job'
  throw new IngestError(
    'usage',
    `no target is given; in ${ci.name} the default, a local folder, would be lost with the job`,
    {
      hint,
    },
  )
}
