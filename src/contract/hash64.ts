/** Two independent XXH64s behind one signature. */

import xxhash from 'xxhash-wasm'

/** XXH64, seed 0, of some bytes: 64 bits, unsigned. A measurement_id reads them as signed. */
export type Hash64 = (bytes: Uint8Array) => bigint

/** The one that pushes use: about 50 times the other. */
export async function wasmHash64(): Promise<Hash64> {
  const implementation = await xxhash()
  return bytes => implementation.h64Raw(bytes)
}

/** XXH64 of bytes that come in pieces. */
export type RunningHash64 = { readonly update: (bytes: Uint8Array) => void; readonly digest: () => bigint }

export async function runningHash64(): Promise<RunningHash64> {
  const implementation = await xxhash()
  const hash = implementation.create64()
  return { update: bytes => void hash.update(bytes), digest: () => hash.digest() }
}

/** The second opinion that golden-check runs beside it. */
export async function jsHash64(): Promise<Hash64> {
  const { default: xxhashjs } = await import('xxhashjs')
  return bytes => {
    // xxhashjs reads strings as its own idea of UTF-8, so it is only ever given bytes. Its hex is not padded.
    const digest = xxhashjs.h64(0).update(asArrayBuffer(bytes)).digest()
    return BigInt(`0x${digest.toString(16)}`)
  }
}

function asArrayBuffer(bytes: Uint8Array): ArrayBuffer {
  const copy = new Uint8Array(bytes.length)
  copy.set(bytes)
  return copy.buffer
}
