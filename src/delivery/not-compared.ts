/**
 * Counts the part of a file that `verify` could not compare, because file and target have different contract versions.
 */

import type { Kind } from '../contract/kinds.js'
import { FieldCounts, type FieldCount } from '../source/downgrade.js'
import type { StoredRow } from '../database/queries/rows.js'
import { sideWithout, type Side } from './compare-row.js'

export type NotCompared = {
  /** Fields that one side does not have, and the number of compared records that have them on the other side. */
  readonly fields: readonly (FieldCount & { readonly missingIn: Side })[]
  /** Records that the target cannot hold, because it lacks one of their dimensions. They were not looked up. */
  readonly records: readonly FieldCount[]
}

export class Uncompared {
  /** Records that were not looked up. */
  readonly records = new FieldCounts()
  readonly #fields: Readonly<Record<Side, FieldCounts>> = { target: new FieldCounts(), file: new FieldCounts() }

  /**
   * Counts the fields that `compareRow` left out.
   * @param values the line's fields as text in column order; undefined for null
   */
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
