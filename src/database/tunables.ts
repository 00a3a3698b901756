/** The settings of writing records that can be tuned, each with its default and the values that a trial may use. */

import type { WriteSettings } from '../state/trial.js'

export type { WriteSettings }

export type Tunable = {
  readonly name: string
  readonly unit: 'bytes' | 'records' | 'MiB'
  /** One of `values`. */
  readonly default: number
  /** In ascending order. */
  readonly values: readonly number[]
}

/** A setting that was in force for a delivery. */
export type UsedSetting = {
  readonly name: string
  readonly value: number
  /** The flag or variable that set the value, or `promoted`, or `default`. */
  readonly origin: string
  /** The trial that a promoted setting comes from. */
  readonly trial?: string | undefined
}

const KIB = 1024
const MIB = 1024 * KIB

/** Size of one COPY: large enough that the round trip after it does not matter, small enough to keep memory flat. */
export const COPY_BYTES: Tunable = {
  name: 'copy-bytes',
  unit: 'bytes',
  default: 4 * MIB,
  values: [256 * KIB, MIB, 2 * MIB, 4 * MIB, 8 * MIB, 16 * MIB],
}

/** The largest number of records that takes the pipelined path. The default is measured in bench/README.md. */
export const SMALL_ROWS: Tunable = {
  name: 'small-rows',
  unit: 'records',
  default: 5_000,
  values: [0, 1_000, 2_500, 5_000, 10_000, 20_000],
}

/** Memory for sorting staged rows in the database. Its own default of 4 MB would spill a large file to disk. */
export const WORK_MEM: Tunable = {
  name: 'work-mem-mib',
  unit: 'MiB',
  default: 64,
  values: [4, 16, 32, 64, 128, 256],
}

export const DEFAULT_COPY_BYTES = COPY_BYTES.default
export const DEFAULT_SMALL_ROWS = SMALL_ROWS.default
export const DEFAULT_WORK_MEM_MIB = WORK_MEM.default

export function settingValues(used: readonly UsedSetting[] | undefined): WriteSettings | undefined {
  return used && Object.fromEntries(used.map(({ name, value }) => [name, value]))
}

/** The size of a delivery. */
export type DeliverySize = { readonly records: number; readonly bytes: number }

/** Reduces settings to those that make a difference for a delivery of this size. Equivalent settings give equal results. */
export function effectiveSettings(settings: WriteSettings, { records, bytes }: DeliverySize): WriteSettings {
  const { 'copy-bytes': copyBytes, 'small-rows': smallRows, ...rest } = settings
  if (copyBytes === undefined || smallRows === undefined) return settings
  // The pipelined path uses neither COPY nor work_mem.
  if (records <= smallRows) return { 'small-rows': records }
  return { ...rest, 'copy-bytes': Math.min(copyBytes, bytes), 'small-rows': 0 }
}

/** Whether exactly the given tunables are set, each within the range of its values. */
export function areWithin(tunables: readonly Tunable[], settings: WriteSettings): boolean {
  const isWithin = ({ name, values }: Tunable): boolean => {
    const value = settings[name]
    return value !== undefined && value >= values[0]! && value <= values.at(-1)!
  }
  return Object.keys(settings).length === tunables.length && tunables.every(isWithin)
}
