/**
 * Building blocks for the shapes of JSON reports. A shape is a TypeBox schema: the report's type and the JSON Schema under `schemas/`
 * derive from it. The program imports only types from shapes, so TypeBox is not part of it.
 */

import Type, { type Static, type TObject, type TProperties, type TSchema } from 'typebox'
import { CONTRACT } from '../contract/kinds.js'

type Word = string | number | null

/** Building blocks with the options that every report uses. A description is optional everywhere. */
export const Shape = {
  object: <Properties extends TProperties>(properties: Properties, description?: string): TObject<Properties> =>
    Type.Object(properties, { additionalProperties: false, ...described(description) }),
  list: <Item extends TSchema>(item: Item, description?: string) => Type.Array(item, described(description)),
  /** An array of exactly two values, such as those of base and head. */
  pair: <Item extends TSchema>(items: Item, description?: string) =>
    Type.Unsafe<[Static<Item>, Static<Item>]>({
      ...{ type: 'array', items, minItems: 2, maxItems: 2 },
      ...described(description),
    }),
  /** An object with any names and values of one shape. */
  map: <Value extends TSchema>(additionalProperties: Value, description?: string) =>
    Type.Unsafe<Record<string, Static<Value>>>({ type: 'object', additionalProperties, ...described(description) }),
  text: (description?: string) => Type.String(described(description)),
  textOrInteger: () => Type.Union([Type.String(), Type.Integer()]),
  flag: (description?: string) => Type.Boolean(described(description)),
  number: (description?: string) => Type.Number(described(description)),
  /** A whole number that may be negative. */
  integer: (description?: string) => Type.Integer(described(description)),
  /** A whole number, 0 or more. */
  count: (description?: string) => Type.Integer({ minimum: 0, ...described(description) }),
  /** A whole number, 1 or more. */
  ordinal: (description?: string) => Type.Integer({ minimum: 1, ...described(description) }),
  /** A number, 0 or more. */
  measured: (description?: string) => Type.Number({ minimum: 0, ...described(description) }),
  /** A whole number as text, because it may not fit in a JSON number. */
  digits: (description: string) => Type.String({ pattern: '^-?[0-9]+$', description }),
  /** One of the given values. */
  words: <const Words extends readonly Word[]>(words: Words, description?: string) =>
    Type.Unsafe<Words[number]>({ enum: words, ...described(description) }),
  /** Exactly this value. */
  constant: <const Value extends string | true>(value: Value) => Type.Unsafe<Value>({ const: value }),
  orNull: <Inner extends TSchema>(inner: Inner, description?: string) =>
    Type.Union([inner, Type.Null()], described(description)),
  optional: <Inner extends TSchema>(inner: Inner) => Type.Optional(inner),
  /** The name of a target kind. Any text, because a target kind can be added without a new report shape. */
  targetKind: () => Type.String({ description: 'The target kind: server, postgres, embedded or archive' }),
  /** The kind of a record, as in the contract. */
  recordKind: () => Type.Unsafe<string>({ type: 'string', enum: RECORD_KINDS }),
}

export const RECORD_KINDS: readonly string[] = CONTRACT.kinds.map(({ kind }) => kind)

function described(description: string | undefined): { readonly description?: string } {
  return description === undefined ? {} : { description }
}

/** The value that a shape describes, read-only at every depth. */
export type ValueOf<Schema extends TSchema> = ReadonlyValue<Static<Schema>>

type ReadonlyValue<Value> = Value extends object ? { readonly [Key in keyof Value]: ReadonlyValue<Value[Key]> } : Value

/** The exit code of the process, as most reports state it. */
export const ExitCode = Shape.integer('Exit code of the process')
/** The exit code of commands that print a report only when they succeed. */
export const SuccessCode = Shape.words([0])
/** The exit code of commands that report damaged state as a problem. */
export const DamageCode = Shape.words([0, 78])

export const TIME = 'RFC 3339, in UTC'
export const WITHOUT_SECRETS = 'A description without secrets'

/** Why a target or bucket has failed; null when it did not fail or was not the cause. */
export const FailureCauseShape = Shape.orNull(
  Shape.words(['down', 'refuses']),
  'down: it passes by itself; refuses: it persists until somebody acts',
)
