/** The declaration of a target kind. Flags, config file, registry, `doctor`, tuning and completion derive from it. */

import type { Environment } from '../commit/ci.js'
import type { OptionDeclarations } from '../config/option.js'
import type { SqlSession } from '../database/session.js'
import type { Tunable } from '../database/tunables.js'
import type { CheckGroup } from '../doctor/finding.js'
import type { BucketStorage } from '../storage/storage.js'
import type { SinkOpener } from './sink.js'

/** Where options are interpreted. */
export type TargetWorld = {
  readonly env: Environment
  /** The buckets of the state; absent without a state. */
  readonly buckets?: StateBuckets | undefined
}

export type StateBuckets = {
  /** The storage address of a bucket outside the state; undefined for every other name. */
  readonly root: (name: string) => string | undefined
  /** Opens a bucket. The caller closes it. */
  readonly open: (name: string) => Promise<BucketStorage>
}

export type CheckWorld = TargetWorld & { readonly now: () => Date }

export type OpenWorld = TargetWorld & {
  readonly random: () => number
  readonly signal: AbortSignal
  readonly onWarning: (message: string) => void
  /** The name of a registered target, for messages. */
  readonly name?: string | undefined
  /** Whether deliveries are rolled back after all their work is done. */
  readonly rehearse?: boolean
}

export type SessionWorld = Pick<OpenWorld, 'env' | 'signal' | 'onWarning'> & {
  /** Whether to create a database that does not exist. */
  readonly create: boolean
}

export type OpenSession = {
  readonly session: SqlSession
  readonly description: string
  readonly close: () => Promise<void>
}

/** A setting with its origin, for reports. Secrets are only listed as set. */
export type Setting = { readonly name: string; readonly value: string; readonly origin: string }

export type SettingsWorld = {
  readonly env: Environment
  /** The origin of the target's address. */
  readonly origin: string
}

/** @template Options the values of `options`, `deliveryOptions` and `registration.options` */
export interface TargetKind<Options extends object = Readonly<Record<string, unknown>>> {
  readonly kind: string
  /** The option that names a target of this kind. */
  readonly address: string
  /** Options of a target: its address, and how to reach it. The registry stores its own, so flags do not change them. */
  readonly options: OptionDeclarations
  /** Options of each delivery. They also apply to registered targets. */
  readonly deliveryOptions: OptionDeclarations
  readonly registration: {
    /** The address as usage shows it, such as `URL`; empty for a kind that is registered without one. */
    readonly address: string
    /** The options of `targets add`. */
    readonly options: OptionDeclarations
    /** The option that the stored address is the value of. Default: `address` of the kind. */
    readonly storedAs?: string
    /**
     * Validates the options of a target without connecting to it.
     * @returns the address to store, which must not contain secrets
     * @throws {IngestError} `usage`
     */
    storedAddress(options: Options, world: TargetWorld): Promise<string>
    /** A hint for a target whose address leads elsewhere than when it was registered. */
    readonly movedHint?: string
  }
  /** Write settings that `tune` can improve. Empty for a kind whose deliveries cannot be rolled back. */
  readonly tunables: readonly Tunable[]
  /** Variables that hold secrets of the kind, whatever the options are. */
  readonly secretVariables: readonly string[]
  /** The target in words, without secrets. @throws {IngestError} `usage` */
  describe(options: Options, world: TargetWorld): Promise<string>
  /** The stable id of a target, without users and secrets. It is the key of the target's watermarks. */
  targetId(options: Options, world: TargetWorld): Promise<string>
  /** Prepares a target without connecting to it. @throws {IngestError} `usage`, `auth_failed` */
  open(options: Options, world: OpenWorld): Promise<SinkOpener>
  /** The checks of `doctor`, which write nothing. @throws {IngestError} when the options are invalid */
  checks(options: Options, world: CheckWorld): Promise<Omit<CheckGroup, 'name'>>
  /** Opens a session for commands that only read, or that migrate. Only databases have it; a command takes one database. */
  openSession?(options: Options, world: SessionWorld): Promise<OpenSession>
  /** Settings that come from elsewhere than the declared options. */
  furtherSettings?(options: Options, world: SettingsWorld): Promise<readonly Setting[]>
  /** The secrets that a target needs and a CI run lacks. CI passes inaccessible secrets as empty variables. */
  missingSecrets?(
    options: Options,
    run: { readonly env: Environment; readonly isFork: boolean },
  ): Promise<readonly string[]>
}
