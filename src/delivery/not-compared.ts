/** The part of a file that `verify` could not compare, because file and target are of different contract versions. */

import type { Kind } from '../contract/kinds.js'
import { FieldCounts, type FieldCount } from '../sink/downgrade.js'
import { sideWithout, type Side, type StoredRow } from './compare-row.js'

export type NotCompared = {
  /** Fields that one side does not have, and the number of compared records that have them on the other side. */
  readonly fields: readonly (FieldCount & { readonly missingIn: Side })[]
  /** Records that the target cannot hold because it lacks a dimension of theirs. They were not looked for. */
  readonly records: readonly FieldCount[]
}

export class Uncompared {
  /** Records that were not looked for. */
  readonly records = new FieldCounts()
  readonly #fields: Readonly<Record<Side, FieldCounts>> = { target: new FieldCounts(), file: new FieldCounts() }

  /** Counts the fields of a compared line that were left out. @param values as `compareRow` takes them */
  addFields(kind: Kind, values: readonly (string | undefined)[], row: StoredRow): void {
    for (const [index, field] of kind.fields.entries()) {
      const side = sideWithout(field, values[index], row)
      if (side !== undefined) this.#fields[side].add(kind, field)
    }
  }

  list(): NotCompared {
    const fieldsOf = (missingIn: Side): NotCompared['fields'] =>
      this.#fields[missingIn].list().map(count => ({ ...count, missingIn }))
    return { fields: [...fieldsOf('target'), ...fieldsOf('file')], records: this.records.list() }
  }
}
