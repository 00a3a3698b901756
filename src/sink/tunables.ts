/** How records are written, as far as it may differ: each setting with its default and the values that are worth a try. */

import type { WriteSettings } from '../state/trial.js'

export type { WriteSettings }

export type Tunable = {
  readonly name: string
  readonly unit: 'bytes' | 'records' | 'MiB' | 'level'
  /** One of `values`. */
  readonly default: number
  /** In ascending order. */
  readonly values: readonly number[]
}

/** One setting of one delivery. */
export type UsedSetting = {
  readonly name: string
  readonly value: number
  /** The flag or variable that gave it, `promoted`, or `default`. */
  readonly origin: string
  /** Of a promoted one. */
  readonly trial?: string | undefined
}

const KIB = 1024
const MIB = 1024 * KIB

/** Rows that are made and sent as one COPY: large enough that a round trip in between does not count, flat in memory. */
const COPY_BYTES: Tunable = {
  name: 'copy-bytes',
  unit: 'bytes',
  default: 4 * MIB,
  values: [256 * KIB, MIB, 2 * MIB, 4 * MIB, 8 * MIB, 16 * MIB],
}

/** Up to how many records go in one flight without staging tables. Measured: bench/README.md. */
const SMALL_ROWS: Tunable = {
  name: 'small-rows',
  unit: 'records',
  default: 5_000,
  values: [0, 1_000, 2_500, 5_000, 10_000, 20_000],
}

/** What the database may take to sort staged rows in: its own default of 4 MB would spill a large file to disk. */
const WORK_MEM: Tunable = {
  name: 'work-mem-mib',
  unit: 'MiB',
  default: 64,
  values: [4, 16, 32, 64, 128, 256],
}

/** Of the whole body, before compression. */
const ENVELOPE_BYTES: Tunable = {
  name: 'max-envelope-bytes',
  unit: 'bytes',
  default: 60 * MIB,
  values: [MIB, 4 * MIB, 16 * MIB, 30 * MIB, 60 * MIB],
}

/** 0 sends bodies as they are. */
const GZIP_LEVEL: Tunable = { name: 'gzip-level', unit: 'level', default: 0, values: [0, 1, 3, 6, 9] }

export const TUNABLES = {
  postgres: [COPY_BYTES, SMALL_ROWS, WORK_MEM],
  // Its memory is this process's.
  embedded: [COPY_BYTES, SMALL_ROWS, { ...WORK_MEM, values: [4, 16, 32, 64] }],
  http: [ENVELOPE_BYTES, GZIP_LEVEL],
  // Its objects are compared byte for byte when they are written again, so how they are made must not change.
  archive: [],
} as const satisfies Readonly<Record<string, readonly Tunable[]>>

export const DEFAULT_COPY_BYTES = COPY_BYTES.default
export const DEFAULT_ENVELOPE_BYTES = ENVELOPE_BYTES.default
export const DEFAULT_SMALL_ROWS = SMALL_ROWS.default
export const DEFAULT_WORK_MEM_MIB = WORK_MEM.default

export function settingValues(used: readonly UsedSetting[] | undefined): WriteSettings | undefined {
  return used && Object.fromEntries(used.map(({ name, value }) => [name, value]))
}

/** What is written, as far as settings are about it. */
export type DeliverySize = { readonly records: number; readonly bytes: number }

/** The same for settings that make no difference to a delivery of that extent. */
export function effectiveSettings(settings: WriteSettings, { records, bytes }: DeliverySize): WriteSettings {
  const { 'copy-bytes': copyBytes, 'small-rows': smallRows, ...rest } = settings
  if (copyBytes === undefined || smallRows === undefined) return settings
  // In one flight there is no COPY, and no work_mem either.
  if (records <= smallRows) return { 'small-rows': records }
  return { ...rest, 'copy-bytes': Math.min(copyBytes, bytes), 'small-rows': 0 }
}

/** Whether every setting is there, and within the bounds that its values lie in. */
export function areWithin(tunables: readonly Tunable[], settings: WriteSettings): boolean {
  const isWithin = ({ name, values }: Tunable): boolean => {
    const value = settings[name]
    return value !== undefined && value >= values[0]! && value <= values.at(-1)!
  }
  return Object.keys(settings).length === tunables.length && tunables.every(isWithin)
}
