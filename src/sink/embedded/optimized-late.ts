/** When V8 compiles a function of the engine once more, optimised: not before it has run so much that this pays. */

import { setFlagsFromString } from 'node:v8'

/** Bytes of code that a function runs before that; later versions than Node 20 have 13,000,000 by themselves. */
const USUAL_BUDGET = 1_800_000
/**
 * A small push is over before most functions get so far, a large one is soon beyond it (docs/adr/0017-engine-optimised-late.md).
 */
const LATE_BUDGET = 50_000_000

/** @param compile compiles WebAssembly; how late a function is optimised is decided when it is compiled first */
export async function optimizedLate<T>(compile: () => Promise<T>): Promise<T> {
  if (!process.version.startsWith('v20.')) return compile()
  setFlagsFromString(`--wasm-tiering-budget=${LATE_BUDGET}`)
  try {
    return await compile()
  } finally {
    // V8 takes what was kept of compiled scripts only under the flags that it was compiled under.
    setFlagsFromString(`--wasm-tiering-budget=${USUAL_BUDGET}`)
  }
}
