/** The comment in the header of a gzip file (RFC 1952). Programs that decompress the file pass over it. */

const HEADER_BYTES = 10
const FLAGS_BYTE = 3
/** The flag of a header that has a comment and nothing else. */
const HAS_COMMENT = 0b1_0000

/**
 * Adds a comment to a gzip file that has only the plain header.
 * @param comment ASCII without control characters
 */
export function withGzipComment(file: Buffer, comment: string): Buffer {
  const header = Buffer.from(file.subarray(0, HEADER_BYTES))
  header[FLAGS_BYTE] = HAS_COMMENT
  return Buffer.concat([header, Buffer.from(`${comment}\0`, 'latin1'), file.subarray(HEADER_BYTES)])
}

/** The comment of a gzip file that `withGzipComment` returned; undefined for any other file. */
export function gzipComment(file: Buffer): string | undefined {
  const isGzip = file[0] === 0x1f && file[1] === 0x8b
  if (!isGzip || file[FLAGS_BYTE] !== HAS_COMMENT) return undefined
  const end = file.indexOf(0, HEADER_BYTES)
  return file.toString('latin1', HEADER_BYTES, end === -1 ? file.length : end)
}
