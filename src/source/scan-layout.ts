/** The byte sequences of each kind that the fast reader compares lines with. */

import { CONTRACT, CONTRACTS, type Field, type Kind } from '../contract/kinds.js'
import { versionBit, type VersionSet } from '../contract/version-set.js'
import { toToken, type Token } from '../contract/words.js'

/** Value types as integers, for a fast switch. */
export const VALUE = { str: 0, i32: 1, i64: 2, list: 3, real: 4 } as const
const TYPE_OF: Readonly<Record<Field['type'], number>> = {
  str: VALUE.str,
  i32: VALUE.i32,
  i64: VALUE.i64,
  '[i64]': VALUE.list,
  f64: VALUE.real,
}

/** The character that opens a value and is not part of it. */
const OPENING: Readonly<Record<Field['type'], string>> = { str: '"', i32: '', i64: '', '[i64]': '[', f64: '' }

/** The byte sequences and rules of one kind. */
export type Layout = {
  /** `"query_measurement"` with its quotes. */
  readonly name: Buffer
  /** Each field's key with its quotes. */
  readonly keys: readonly Buffer[]
  /** The bytes before each field's value in a line without spaces: comma, key, colon, and opening quote or bracket. */
  readonly openings: readonly Token[]
  readonly types: Uint8Array
  /** Bit mask of the fields that may be null. Null in a field of a later version is left to the exact reader. */
  readonly optional: number
  readonly required: number
  readonly together: number
  readonly oneOf: readonly { readonly field: number; readonly values: readonly Buffer[] }[]
  /** For each contract version, the fields that a record must have and must not have. */
  readonly versions: readonly VersionFields[]
  /** Whether any version added a field to the kind. If not, every record of the kind fits all versions. */
  readonly hasVersions: boolean
}

type VersionFields = { readonly bit: VersionSet; readonly required: number; readonly unknown: number }

/** The layouts, in the order of `CONTRACT.kinds`. */
export const LAYOUTS: readonly Layout[] = CONTRACT.kinds.map(createLayout)

function createLayout({ kind, fields, oneOf, together }: Kind): Layout {
  const bits = (chosen: (field: Field) => boolean): number =>
    fields.reduce((mask, field, index) => (chosen(field) ? mask | (1 << index) : mask), 0)
  return {
    name: Buffer.from(`"${kind}"`),
    keys: fields.map(field => Buffer.from(`"${field.name}"`)),
    openings: fields.map(({ name, type }) => toToken(Buffer.from(`,"${name}":${OPENING[type]}`))),
    types: Uint8Array.from(fields, field => TYPE_OF[field.type]),
    optional: bits(field => field.optional && field.since === 1),
    required: bits(field => !field.optional && field.since === 1),
    together: bits(field => together.includes(field.name)),
    oneOf: Object.entries(oneOf).map(([name, values]) => ({
      field: fields.findIndex(field => field.name === name),
      values: values.map(value => Buffer.from(value)),
    })),
    hasVersions: fields.some(field => field.since > 1),
    versions: [...CONTRACTS.keys()].map(version => ({
      bit: versionBit(version),
      required: bits(field => !field.optional && field.since <= version),
      unknown: bits(field => field.since > version),
    })),
  }
}
