/** Recognises files that hold something else than records, so that they are one error instead of one for each line. */

import { IngestError } from '../errors.js'
import { recogniseTool } from './other-tools.js'

/** Number of bytes at the start of a file that are looked at. */
const HEAD_BYTES = 16 * 1024

type Format = {
  /** Completes the sentence that starts with the name of the file, such as `begins with a JSON array`. */
  readonly words: string
  readonly hint: string
}

/**
 * Throws for a file whose first line is no record and whose content is recognised.
 * @param head the first bytes of the file, with its first line or a part of it
 * @param hasRecords whether later lines of the head are records, as in a log that holds both
 * @throws {IngestError} `wrong_format`
 */
export function assertRecordFile(name: string, head: Buffer, hasRecords: boolean): void {
  const format = recognise(head.subarray(0, HEAD_BYTES), hasRecords)
  if (format !== undefined) throw new IngestError('wrong_format', `${name} ${format.words}`, { hint: format.hint })
}

function recognise(head: Buffer, hasRecords: boolean): Format | undefined {
  const encoding = utf16Of(head)
  if (encoding !== undefined) {
    const hint = `convert it to UTF-8: iconv -f ${encoding} -t UTF-8 FILE > results.jsonl`
    return { words: `is text in ${encoding}, but records are UTF-8`, hint }
  }
  const text = head.toString('utf8').replace(/^\ufeff/, '')
  const tool = hasRecords ? undefined : recogniseTool(text)
  if (tool !== undefined) {
    const hint = `make records of it: vortex-ingest convert --from ${tool.from} FILE > results.jsonl`
    return { words: `holds the output of ${tool.name}, not records`, hint }
  }
  return jsonDocument(text)
}

/** A JSON document that is no record: an envelope, a commit, an array, or an object over several lines. */
function jsonDocument(text: string): Format | undefined {
  if (/^\s*\{/.test(text) && /"(?:run_meta|records)"\s*:/.test(text))
    return { words: 'holds an envelope, not records', hint: 'write its records, one per line: jq -c ".records[]" FILE' }
  if (/^\s*\{/.test(text) && /"tree_sha"\s*:/.test(text) && !/"kind"\s*:/.test(text))
    return {
      words: 'describes a commit, and holds no records',
      hint: 'give it as --commit FILE, beside a file of records',
    }
  if (/^\s*\[\s*(?:$|[[\]{"])/.test(text))
    return {
      words: 'begins with a JSON array',
      hint: `write its elements, one per line: jq -c ".[]" FILE > results.jsonl`,
    }
  if (/^\s*\{(?:[^\n]*[[{,])?[^\S\n]*\r?\n\s*["}\]]|^\s*\{\s*$/.test(text))
    return {
      words: 'begins with a JSON object over several lines',
      hint: 'write each record in one line: jq -c . FILE > results.jsonl',
    }
  return undefined
}

/** The encoding of text in UTF-16, by its byte-order mark, or because every other byte of its beginning is zero. */
function utf16Of(head: Buffer): 'UTF-16LE' | 'UTF-16BE' | 'UTF-16' | undefined {
  if (head.length < 2) return undefined
  const mark = head.readUInt16BE()
  if (mark === 0xfffe || mark === 0xfeff) return 'UTF-16'
  if (head.length < 4) return undefined
  const zeros = [0, 1, 2, 3].map(at => head[at] === 0)
  if (zeros.join() === 'false,true,false,true') return 'UTF-16LE'
  return zeros.join() === 'true,false,true,false' ? 'UTF-16BE' : undefined
}
