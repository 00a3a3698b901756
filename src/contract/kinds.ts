/** The five record kinds as data: every column list, hash order, DDL check and JSON Schema comes from this table. */

export const SCHEMA_VERSION = 1

/** `[i64]` is an array of i64; `str` is UTF-8 text; i32 and i64 are JSON integers judged by their token. */
export type FieldType = 'str' | 'i32' | 'i64' | 'f64' | '[i64]'

export type Field = {
  readonly name: string
  readonly type: FieldType
  /** Absent and null mean the same. */
  readonly optional: boolean
  /** Part of the measurement_id, in this order. */
  readonly dimension: boolean
}

export type Kind = {
  readonly kind: string
  readonly table: string
  /** In column order. */
  readonly fields: readonly Field[]
  /** Fields that take only these values: a record rule, checked after the shape. */
  readonly oneOf: Readonly<Record<string, readonly string[]>>
  /** Fields that are all present or all absent: a record rule, checked after `oneOf`. */
  readonly together: readonly string[]
}

export type Contract = { readonly version: number; readonly kinds: readonly Kind[] }

type Rules = Partial<Pick<Kind, 'oneOf' | 'together'>>

const dim = (name: string, type: FieldType = 'str'): Field => ({ name, type, optional: false, dimension: true })
const optionalDim = (name: string): Field => ({ name, type: 'str', optional: true, dimension: true })
const value = (name: string, type: FieldType = 'i64'): Field => ({ name, type, optional: false, dimension: false })
const optional = (name: string, type: FieldType = 'i64'): Field => ({ name, type, optional: true, dimension: false })

function kind(name: string, table: string, fields: readonly Field[], { oneOf = {}, together = [] }: Rules = {}): Kind {
  return { kind: name, table, fields, oneOf, together }
}

const runtimes = [value('value_ns'), value('all_runtimes_ns', '[i64]')]
const memory = ['peak_physical', 'peak_virtual', 'physical_delta', 'virtual_delta']
const envTriple = optional('env_triple', 'str')

/** @see contract section 1 */
const V1: Contract = {
  version: 1,
  kinds: [
    kind(
      'query_measurement',
      'query_measurements',
      [
        dim('commit_sha'),
        dim('dataset'),
        optionalDim('dataset_variant'),
        optionalDim('scale_factor'),
        dim('query_idx', 'i32'),
        dim('storage'),
        dim('engine'),
        dim('format'),
        ...runtimes,
        ...memory.map(name => optional(name)),
        envTriple,
      ],
      { oneOf: { storage: ['nvme', 's3'] }, together: memory },
    ),
    kind('compression_time', 'compression_times', [
      dim('commit_sha'),
      dim('dataset'),
      optionalDim('dataset_variant'),
      dim('format'),
      dim('op'),
      ...runtimes,
      envTriple,
    ]),
    kind('compression_size', 'compression_sizes', [
      dim('commit_sha'),
      dim('dataset'),
      optionalDim('dataset_variant'),
      dim('format'),
      value('value_bytes'),
    ]),
    kind('random_access_time', 'random_access_times', [
      dim('commit_sha'),
      dim('dataset'),
      dim('format'),
      ...runtimes,
      envTriple,
    ]),
    kind('vector_search_run', 'vector_search_runs', [
      dim('commit_sha'),
      dim('dataset'),
      dim('layout'),
      dim('flavor'),
      dim('threshold', 'f64'),
      ...runtimes,
      value('matches'),
      value('rows_scanned'),
      value('bytes_scanned'),
      value('iterations', 'i32'),
      envTriple,
    ]),
  ],
}

/** Every contract version this program speaks, by its number. */
export const CONTRACTS: ReadonlyMap<number, Contract> = new Map([[V1.version, V1]])

/** The contract of `SCHEMA_VERSION`: what a push writes. */
export const CONTRACT: Contract = V1

/** The dimensions of a kind in hash order. */
export function dimensionsOf(kind: Kind): readonly Field[] {
  return kind.fields.filter(field => field.dimension)
}
