/** Makes a target get deliveries in which personal data is masked or dropped. */

import { wasmHash64 } from '../contract/hash64.js'
import type { PiiFilter } from '../pii/pii-filter.js'
import { lineLocation, type Delivery } from '../source/delivery.js'
import type { SinkOpener } from '../targets/sink.js'
import { rowsOf } from './rows.js'

/** The same target. Its sink reads the lines of the original delivery, whatever it reads of the filtered one. */
export function filteredOpener({ readsRows: _, ...opener }: SinkOpener, pii: PiiFilter): SinkOpener {
  /** A sink may know a delivery by its `lines`, so they stay the same object. */
  const known = new WeakMap<Delivery['lines'], Delivery['lines']>()
  const filtered = async (delivery: Delivery): Promise<Delivery> => {
    const { source, lines: original } = delivery
    const lines = known.get(original) ?? (() => pii.lines(original(), source))
    known.set(original, lines)
    const hash = await wasmHash64()
    return {
      ...delivery,
      commit: await pii.commit(delivery.commit),
      lines,
      rows: chunkBytes => rowsOf(lines(), { name: source, hash }, chunkBytes),
      locateLine: async line => ({ ...(await lineLocation(delivery, line, 0)), byte: undefined }),
    }
  }
  const { refuses } = opener
  return {
    ...opener,
    pii,
    ...(refuses !== undefined && {
      async *refuses(delivery) {
        yield* refuses(await filtered(delivery))
      },
    }),
    async open(signal) {
      const sink = await opener.open(signal)
      return {
        write: async (delivery, onRetry, settings) => sink.write(await filtered(delivery), onRetry, settings),
        close: () => sink.close(),
      }
    },
  }
}
