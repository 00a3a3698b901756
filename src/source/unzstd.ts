/** Decompresses zstd. The frames are separated here, because Node's decoder stops silently after the first one. */

import * as zlib from 'node:zlib'
import type { Transform } from 'node:stream'
import { ChunkCursor, framePieces, startsFrame, startsSkippable } from './zstd-frame.js'
import { throughZlib, UNPACKED_CHUNK_BYTES } from './gunzip.js'

/**
 * Decompresses zstd data.
 * @param packed one or more zstd frames
 * @throws when a frame is damaged or truncated, or when other bytes follow
 */
export async function* unzstd(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const unpackFrame = await frameUnpacker()
  const input = new ChunkCursor(packed)
  while (await input.hasMore()) {
    const magic = await input.take(4)
    if (startsFrame(magic)) yield* unpackFrame(framePieces(input, magic))
    else if (startsSkippable(magic)) await input.skip((await input.take(4)).readUInt32LE())
    else throw new Error('other bytes follow the compressed ones')
  }
}

type FrameUnpacker = (pieces: AsyncIterable<Buffer>) => AsyncGenerator<Uint8Array>
type Create = (options: { readonly chunkSize: number }) => Transform & { readonly bytesWritten: number }

async function frameUnpacker(): Promise<FrameUnpacker> {
  // Node has a zstd decoder since 22.15.
  const { createZstdDecompress: create } = zlib as { readonly createZstdDecompress?: Create }
  if (create !== undefined) return pieces => throughZlib(pieces, create({ chunkSize: UNPACKED_CHUNK_BYTES }))
  return (await import('./fzstd-frame.js')).unpackFrame
}
