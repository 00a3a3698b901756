/** The origin of a delivery: the run, the program and the sources that its records come from. */

/** A source of records, or the part of it that was delivered. */
export type SourceRange = {
  /** The relative name, the base name of any other file, or `-` for standard input. */
  readonly name: string
  /** XXH64 of all bytes that the source had, after decompression: `xxh64:` and 16 hexadecimal digits. */
  readonly hash?: string | undefined
  /** The delivered lines, counted from 1. */
  readonly firstLine: number
  readonly lastLine: number
}

export type DeliveryOrigin = {
  readonly benchmarkId?: string | undefined
  /** The web page of the CI run. */
  readonly runUrl?: string | undefined
  /** The program that read the sources, and its version: `vortex-ingest/1.2.3`. */
  readonly tool?: string | undefined
  /** The target in words, without secrets. */
  readonly target?: string | undefined
  /** The first of the sources, as many as `MAX_TEXT` allows. */
  readonly sources: readonly SourceRange[]
  /** Number of all sources. */
  readonly sourceCount: number
}

/** Request header with the origin of the records. Servers that do not know it ignore it. */
export const ORIGIN_HEADER = 'vortex-ingest-origin'

/** Characters of all sources as text, and of an address. Node allows 16 KiB for all headers of a request. */
const MAX_TEXT = 6_000
const MAX_URL = 2_000
const MAX_NAME = 200

/**
 * The part of a source as an origin states it. Folders of a machine are left out.
 * @param lines number of delivered lines
 */
export function sourceRange(
  name: string,
  { fingerprint, linesBefore, lines }: { fingerprint?: string | undefined; linesBefore: number; lines: number },
): SourceRange {
  return {
    name: withoutFolders(name),
    ...(fingerprint !== undefined && { hash: `xxh64:${fingerprint}` }),
    ...{ firstLine: linesBefore + 1, lastLine: linesBefore + lines },
  }
}

/** A relative name that stays below its folder is left as it is. */
function withoutFolders(name: string): string {
  const parts = printable(name).split(/[\\/]/)
  const isBelow = !parts.includes('..') && parts[0] !== '' && !/^[a-z]:$/i.test(parts[0]!)
  return printable((isBelow ? parts.filter(part => part !== '.').join('/') : parts.at(-1)!).slice(-MAX_NAME))
}

/** Characters that Postgres or a header cannot hold: control characters, and halves of surrogate pairs. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u

function printable(text: string): string {
  return text.replace(new RegExp(UNPRINTABLE, 'gu'), ' ')
}

/** The origin of a delivery that joins several. Adjacent parts of one source become one, with the hash of the last. */
export function joinOrigins(origins: readonly DeliveryOrigin[]): DeliveryOrigin {
  const sources: SourceRange[] = []
  for (const source of origins.flatMap(origin => origin.sources)) {
    const last = sources.at(-1)
    if (last?.name === source.name && last.lastLine + 1 === source.firstLine)
      sources[sources.length - 1] = { ...source, firstLine: last.firstLine }
    else sources.push(source)
  }
  const leftOut = origins.reduce((all, origin) => all + origin.sourceCount - origin.sources.length, 0)
  return { ...origins[0], sources, sourceCount: sources.length + leftOut }
}

/** The origin as it is stored and sent: with printable texts of a limited length, and as many sources as fit. */
export function limitOrigin({ sources, sourceCount, ...texts }: DeliveryOrigin): DeliveryOrigin {
  let length = 0
  const kept = sources.findIndex(source => (length += asciiJson(source).length + 1) > MAX_TEXT)
  const [benchmarkId, tool, target] = [texts.benchmarkId, texts.tool, texts.target].map(
    text => text && printable(text.slice(0, MAX_NAME)),
  )
  const limited = { benchmarkId, runUrl: webAddress(texts.runUrl), tool, target }
  return { ...limited, sources: kept === -1 ? sources : sources.slice(0, kept), sourceCount }
}

/** An origin as JSON in ASCII. */
export function formatOrigin(origin: DeliveryOrigin): string {
  return asciiJson(limitOrigin(origin))
}

/** JSON without characters that a header or a gzip comment cannot hold. */
export function asciiJson(value: object): string {
  const json = JSON.stringify(value)
  return json.replace(/[^\x20-\x7e]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Reads an origin. @returns undefined when the text is not one */
export function parseOrigin(text: string): DeliveryOrigin | undefined {
  try {
    return originFrom(JSON.parse(text))
  } catch {
    return undefined
  }
}

function originFrom(value: unknown): DeliveryOrigin | undefined {
  const { benchmarkId, runUrl, tool, target, sources = [], sourceCount } = toRecord(value)
  if (!Array.isArray(sources) || !isCount(sourceCount)) return undefined
  const ranges = sources.map(rangeFrom)
  const texts = { benchmarkId, runUrl, tool, target }
  if (!Object.values(texts).every(isOptionalText) || !ranges.every(range => range !== undefined)) return undefined
  const origin = { ...(texts as Partial<DeliveryOrigin>), sources: ranges, sourceCount }
  return { ...origin, runUrl: webAddress(origin.runUrl) }
}

function rangeFrom(value: unknown): SourceRange | undefined {
  const { name, hash, firstLine, lastLine } = toRecord(value)
  const isRange = isText(name) && isOptionalText(hash) && isCount(firstLine) && isCount(lastLine)
  return isRange ? { name, ...(hash !== undefined && { hash }), firstLine, lastLine } : undefined
}

/** An address that a page may link to, without credentials; undefined for anything else. */
export function webAddress(text: string | undefined): string | undefined {
  if (text === undefined || text.length > MAX_URL || !URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    return undefined
  return Object.assign(new URL(text), { username: '', password: '' }).href
}

function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TEXT && !UNPRINTABLE.test(value)
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || isText(value)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
