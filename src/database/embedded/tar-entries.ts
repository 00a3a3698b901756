/** Reads the entries of an uncompressed tar archive in memory. Supports only files, folders and names up to 100 bytes. */

export type TarEntry = { readonly name: string; readonly kind: 'file' | 'folder'; readonly content: Uint8Array }

/** Size of a block. An entry is one header block and its content, padded to whole blocks. An empty block ends the archive. */
const BLOCK_BYTES = 512
const NAME = [0, 100] as const
const SIZE = [124, 136] as const
const KIND_AT = 156
const KINDS = new Map<string | undefined, TarEntry['kind']>([
  ['0', 'file'],
  ['5', 'folder'],
])

/** Yields the entries in order. @throws {Error} on an entry that is truncated or neither a file nor a folder */
export function* tarEntries(archive: Buffer): Generator<TarEntry> {
  let at = 0
  while (at + BLOCK_BYTES <= archive.length && archive[at] !== 0) {
    const header = archive.subarray(at, at + BLOCK_BYTES)
    const name = text(header, NAME)
    const kind = KINDS.get(text(header, [KIND_AT, KIND_AT + 1]))
    const sizeBytes = Number.parseInt(text(header, SIZE), 8)
    const start = at + BLOCK_BYTES
    if (kind === undefined || !(start + sizeBytes <= archive.length)) throw new Error(`cannot read tar entry "${name}"`)
    yield { name, kind, content: archive.subarray(start, start + sizeBytes) }
    at = start + Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES
  }
}

/** Reads a text field, which ends at its first NUL if it has one. */
function text(header: Buffer, [start, end]: readonly [number, number]): string {
  const field = header.subarray(start, end)
  const length = field.indexOf(0)
  return field.toString('latin1', 0, length === -1 ? field.length : length)
}
