/**
 * The upper limit for `validate`: reads a file in blocks, splits it into lines and passes each line to JSON.parse. This is
 * faster than reading the whole file into one string, which costs garbage collection. Prints the time of the parsing in ms.
 */

import { open } from 'node:fs/promises'

// Larger than several lines. Other sizes make no difference.
const BLOCK_BYTES = 256 * 1024

const file = await open(process.argv[2] ?? '')
const block = Buffer.allocUnsafe(BLOCK_BYTES)
let filled = 0
let parsingMs = 0
for (;;) {
  const { bytesRead } = await file.read(block, filled, BLOCK_BYTES - filled)
  if (bytesRead === 0) break
  filled += bytesRead
  const end = block.lastIndexOf('\n', filled - 1)
  const lines = block.toString('utf8', 0, end).split('\n')
  const started = performance.now()
  for (const line of lines) JSON.parse(line)
  parsingMs += performance.now() - started
  block.copyWithin(0, end + 1, filled)
  filled -= end + 1
}
await file.close()
console.log(parsingMs)
