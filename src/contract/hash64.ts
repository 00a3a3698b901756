/** Two independent implementations of XXH64 with the same signature. */

import xxhash from 'xxhash-wasm'

/**
 * Computes XXH64 with seed 0, as an unsigned 64-bit integer. A measurement_id is the same 64 bits as a signed integer.
 */
export type Hash64 = (bytes: Uint8Array) => bigint

/** Compiled once, because compiling takes longer than hashing a small file. */
let compiled: ReturnType<typeof xxhash> | undefined

/** The implementation used for pushes, in WebAssembly. It is about 50 times faster than `jsHash64`. */
export async function wasmHash64(): Promise<Hash64> {
  const implementation = await (compiled ??= xxhash())
  return bytes => implementation.h64Raw(bytes)
}

/** A hash in 16 hexadecimal digits, as `xxhsum -H1` prints it. */
export function digestText(digest: bigint): string {
  return digest.toString(16).padStart(16, '0')
}

/** Computes XXH64 incrementally. */
export type RunningHash64 = { readonly update: (bytes: Uint8Array) => void; readonly digest: () => bigint }

export async function runningHash64(): Promise<RunningHash64> {
  const implementation = await (compiled ??= xxhash())
  const hash = implementation.create64()
  return { update: bytes => void hash.update(bytes), digest: () => hash.digest() }
}

/** An independent implementation in JavaScript, with which `golden-check` compares the other one. */
export async function jsHash64(): Promise<Hash64> {
  const { default: xxhashjs } = await import('xxhashjs')
  return bytes => {
    // xxhashjs encodes strings in its own variant of UTF-8, so it only gets bytes. Its hexadecimal output is not
    // padded.
    const digest = xxhashjs.h64(0).update(asArrayBuffer(bytes)).digest()
    return BigInt(`0x${digest.toString(16)}`)
  }
}

function asArrayBuffer(bytes: Uint8Array): ArrayBuffer {
  const copy = new Uint8Array(bytes.length)
  copy.set(bytes)
  return copy.buffer
}
