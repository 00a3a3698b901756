/** Options that the databases share. */

import { BYTES, NATURAL, POSITIVE } from '../config/option.js'

/** Write settings of a database. `tune` finds better values for them; each has a tunable of the same name. */
export const WRITE_SETTING_OPTIONS = {
  copyBytes: {
    value: '<size>',
    help: 'size of the rows that one COPY sends to a database (default: 4MiB)',
    type: BYTES,
  },
  smallRows: {
    value: '<n>',
    help: 'maximum number of records to write without staging tables (default: 5000)',
    type: NATURAL,
  },
  workMemMib: {
    value: '<n>',
    help: 'memory that a database may use for sorting, in MiB (default: 64)',
    type: POSITIVE,
  },
} as const
