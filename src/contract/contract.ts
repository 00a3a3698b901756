/** The data types that describe a contract version, and how a version is derived from the previous one. */

/**
 * Type of a field. `str` is UTF-8 text. `i32` and `i64` are JSON numbers written as integers. `[i64]` is an array of
 * i64.
 */
export type FieldType = 'str' | 'i32' | 'i64' | 'f64' | '[i64]'

export type Field = {
  readonly name: string
  readonly type: FieldType
  /** One sentence for the documentation and the JSON Schemas. */
  readonly description: string
  /** Unit of a number, such as `ns` or `bytes`; absent where the number has none. */
  readonly unit?: string
  /** The field may be absent or null, which mean the same. */
  readonly optional: boolean
  /** The field is part of the measurement_id. Dimensions are hashed in field order. */
  readonly dimension: boolean
  /**
   * Default of a dimension that is hashed only when it has another value, so that rows from before the field was added
   * keep their ids. A
   * record without the field is stored with this value.
   */
  readonly conditional?: string
  /** The contract version that added the field. */
  readonly since: number
}

export type Kind = {
  readonly kind: string
  readonly table: string
  /** One sentence for the documentation and the JSON Schemas. */
  readonly description: string
  /** Whether the table repeats the time of each row's commit in a column `commit_timestamp`. */
  readonly hasCommitTimestamp: boolean
  /** The fields in column order. */
  readonly fields: readonly Field[]
  /** Allowed values by field name, for fields that accept nothing else. A record rule, checked after the shape. */
  readonly oneOf: Readonly<Record<string, readonly string[]>>
  /** Fields that must be all present or all absent. A record rule, checked after `oneOf`. */
  readonly together: readonly string[]
}

export type Contract = { readonly version: number; readonly kinds: readonly Kind[] }

/** A field that a version adds to a kind of the previous version. */
export type Addition = {
  readonly kind: string
  /** The existing field after which the new one is inserted, in column and hash order. */
  readonly after: string
  readonly field: Field
  /** The allowed values of the field; any value when absent. */
  readonly oneOf?: readonly string[]
}

/** Derives the version after `before`: the same kinds, with the added fields. */
export function addFields(before: Contract, additions: readonly Addition[]): Contract {
  const version = before.version + 1
  const kinds = before.kinds.map(kind =>
    additions
      .filter(addition => addition.kind === kind.kind)
      .reduce((grown, addition) => addField(grown, addition, version), kind),
  )
  return { version, kinds }
}

function addField(kind: Kind, { after, field, oneOf }: Addition, since: number): Kind {
  const at = kind.fields.findIndex(({ name }) => name === after) + 1
  if (at === 0) throw new Error(`${kind.kind} has no field ${after}`)
  const fields = [...kind.fields.slice(0, at), { ...field, since }, ...kind.fields.slice(at)]
  return { ...kind, fields, oneOf: oneOf === undefined ? kind.oneOf : { ...kind.oneOf, [field.name]: oneOf } }
}
