import { isUtf8 } from 'node:buffer'
import t from 'tap'
import { wasmHash64 } from '../../src/contract/hash64.js'
import { createIdentifier } from '../../src/source/identify.js'
import { addRecord, readRecord } from '../../src/source/read-record.js'
import { RecordBatch } from '../../src/source/record-batch.js'
import { NOT_SCANNED, scanRecord } from '../../src/source/scan-record.js'
import { Random, SEED } from '../fixtures/random.js'
import {
  BEFORE,
  KIND_NAMES,
  line,
  lineOf,
  VALID,
  type Tokens,
  plainLineOfAnyVersion,
  tokensOfAnyVersion,
} from '../fixtures/records.js'
import { rowOf, type Row } from './fixtures/reading.js'

const ODD_NUMBERS: readonly ((random: Random) => string)[] = [
  random => random.digits(random.int(8, 11)),
  random => random.digits(random.int(15, 21)),
  random => `-${random.digits(random.int(8, 20))}`,
  random =>
    random.pick([
      '0',
      '-0',
      '00',
      '01',
      '-01',
      '1.0',
      '1.',
      '.5',
      '1e5',
      '1E-5',
      '1e',
      '+1',
      '-',
      '--1',
      '0x1',
      '1_0',
      '1 0',
    ]),
  random =>
    random.pick(['2147483647', '2147483648', '-2147483648', '999999999', '9223372036854775807', '9223372036854775808']),
  random => `${random.int(-9, 9)}.${random.digits(random.int(1, 20))}`,
  random => `0.${'0'.repeat(random.int(0, 20))}${random.digits(random.int(1, 5))}`,
  random => `${random.digits(random.int(1, 17))}.${random.digits(random.int(1, 4))}`,
  random => `-0${random.pick(['', '.0', '.', 'e5', '.00000000000000000', '.5'])}`,
]

const ODD_TOKENS: readonly ((random: Random) => string)[] = [
  ...ODD_NUMBERS,
  random =>
    random.pick([
      'null',
      'nul',
      'nulll',
      'true',
      'false',
      'NaN',
      'Infinity',
      '',
      '{}',
      '[]',
      '""',
      '"',
      '"s3"',
      '"s3x"',
      '"reopen"',
    ]),
  random =>
    random.pick([
      '"a\\u0000b"',
      '"\\n"',
      '"a\\"b"',
      '"\\\\"',
      '"\\ud800"',
      '"\\ud83d\\ude42"',
      '"\\x"',
      '"a\tb"',
      '"\u007f\u2028"',
      '"é"',
      '"🙂"',
    ]),
  random =>
    `[${Array.from({ length: random.int(1, 4) }, () => random.pick(ODD_NUMBERS)(random)).join(random.pick([',', ', ', ' ,', ',,', ' ']))}]`,
  random =>
    random.pick([
      '[ ]',
      '[,]',
      '[1,]',
      '[,1]',
      '[ 1]',
      '[1 ]',
      '[1',
      '1]',
      '[null]',
      '["1"]',
      '[[1]]',
      '[1.5]',
      '[-0]',
      '[ 1, 2]',
    ]),
]

const NAMES = [
  'kind',
  'dataset',
  'storage',
  'threshold',
  'open_mode',
  'uncompressed_bytes',
  'value_ns',
  'peak_physical',
  'extra',
  '__proto__',
  '',
  'kind ',
  'Dataset',
]

const PAIR_CHANGES: readonly ((pairs: readonly Pair[], random: Random) => Pair[])[] = [
  (pairs, random) => random.shuffled(pairs),
  ([kind, ...pairs], random) => [kind!, ...random.shuffled(pairs)],
  // Repeats a key, directly after it or later, with the same value or another.
  (pairs, random) => inserted(pairs, random.pick(pairs), random),
  (pairs, random) => inserted(pairs, [random.pick(pairs)[0], random.pick(ODD_TOKENS)(random)], random),
  (pairs, random) => inserted(pairs, [random.pick(NAMES), random.pick(ODD_TOKENS)(random)], random),
  (pairs, random) => pairs.filter((_, at) => at !== random.int(0, pairs.length - 1)),
  ...[0, 1, 2, 3].map(() => (pairs: readonly Pair[], random: Random): Pair[] => {
    const changed = random.int(0, pairs.length - 1)
    const token = random.pick(random.chance(0.7) ? ODD_NUMBERS : ODD_TOKENS)(random)
    return pairs.map(([name, old], at) => [name, at === changed ? token : old])
  }),
  (pairs, random) =>
    pairs.map(([name, token]) => [name, token.startsWith('"') && random.chance(0.2) ? escaped(token, random) : token]),
]

const SPACES = ['', '', '', '', ' ', '  ', '\t', '\r']

const BYTE_CHANGES: readonly ((bytes: Buffer, random: Random) => Buffer)[] = [
  bytes => Buffer.concat([bytes, Buffer.from('\r')]),
  (bytes, random) =>
    Buffer.concat([bytes, Buffer.from(random.pick([' ', '  \r', '\r\r', ',', '}', 'x', '\0', '\ufeff', ' {}']))]),
  (bytes, random) => Buffer.concat([Buffer.from(random.pick([' ', '\ufeff', '\t', '[', '{'])), bytes]),
  (bytes, random) => bytes.subarray(0, random.int(0, bytes.length)),
  (bytes, random) => spliced(bytes, random, 1, random.bytes(1)),
  (bytes, random) => spliced(bytes, random, 0, random.bytes(1)),
  (bytes, random) => spliced(bytes, random, 1, Buffer.alloc(0)),
  (bytes, random) =>
    spliced(bytes, random, 0, Buffer.from(random.pick([...'"\\,:{}[]0129-.eE tn', '\u007f', '\u00e9', '\u2028']))),
  (bytes, random) => {
    const at = random.int(0, Math.max(0, bytes.length - 2))
    return Buffer.concat([
      bytes.subarray(0, at),
      Buffer.from(bytes.subarray(at, at + 2)).reverse(),
      bytes.subarray(at + 2),
    ])
  },
]

const identify = createIdentifier(await wasmHash64())
const PLACE = { line: 3, start: 0 }
const batch = new RecordBatch()

/** The row that the scanner makes of a line, or undefined when it does not accept the line. */
function scanned(text: string | Buffer): Row | undefined {
  const bytes = Buffer.concat([Buffer.from(text), Buffer.from('\n')])
  batch.reset(bytes, 100)
  const next = scanRecord(bytes, batch, PLACE)
  if (next === NOT_SCANNED) return undefined
  if (next !== bytes.length || batch.count !== 1) throw new Error(`read up to ${next} of ${bytes.length}`)
  return identifiedRow()
}

/** The row that the exact reader makes of the same line, or undefined when it refuses the line. */
function readExactly(text: string | Buffer): Row | undefined {
  const result = readRecord(Buffer.from(text))
  if (!result.ok || result.inexact !== undefined) return undefined
  batch.reset(Buffer.alloc(0), 100)
  addRecord(batch, result.record, PLACE)
  return identifiedRow()
}

function identifiedRow(): Row {
  identify(batch)
  const row = rowOf(batch, 0)
  // The scanner keeps tokens as they are written, so their values are compared.
  const { all_runtimes_ns: list, threshold, ...fields } = row.fields
  const meant = {
    ...(list === undefined ? {} : { all_runtimes_ns: list.replace(/ /g, '') }),
    ...(threshold === undefined
      ? {}
      : { threshold: Object.is(Number(threshold), row.real) ? 'as its double' : threshold }),
  }
  return { ...row, fields: { ...fields, ...meant } }
}

/** Compares doubles with Object.is and everything else by equality. */
function same(a: Row, b: Row | undefined): boolean {
  if (b === undefined || !Object.is(a.real, b.real) || a.id !== b.id) return false
  const plain = ({ kind, line, byte, fields, versions }: Row): string =>
    JSON.stringify([kind, line, byte, versions, Object.entries(fields).sort()])
  return plain(a) === plain(b)
}

t.test(
  `lines as emitters write them are all taken, and read as the exact reader reads them (seed ${SEED})`,
  async t => {
    const random = new Random()
    const lines = Array.from({ length: 20_000 }, () => plainLineOfAnyVersion(random))
    t.strictSame(
      lines.filter(text => scanned(text) === undefined),
      [],
      'all are taken',
    )
    t.strictSame(
      lines.filter(text => !same(scanned(text)!, readExactly(text))),
      [],
      'and none is read otherwise',
    )
  },
)

t.test(`whatever the scanner takes, the exact reader takes and reads the same (seed ${SEED})`, async t => {
  const random = new Random()
  const counts = { taken: 0, left: 0, refused: 0 }
  const differences: string[] = []
  for (let round = 0; round < 60_000; round++) {
    const [text] = splitOnce(oddLine(random))
    if (!isUtf8(text)) continue
    const row = scanned(text)
    if (row !== undefined && !same(row, readExactly(text))) differences.push(text.toString())
    counts[row !== undefined ? 'taken' : readExactly(text) === undefined ? 'refused' : 'left']++
  }
  t.strictSame(differences, [])
  for (const [what, count] of Object.entries(counts)) t.ok(count > 5_000, `${count} ${what}`)
})

/** The bytes up to the first line feed, which is how far the scanner reads. */
function splitOnce(bytes: Buffer): [Buffer] {
  const end = bytes.indexOf(0x0a)
  return [end === -1 ? bytes : bytes.subarray(0, end)]
}

const search = (threshold: string): string => line('vector_search_run', { threshold })
const size = (changes: Tokens): string => line('compression_size', changes)
const query = (changes: Tokens): string => line('query_measurement', changes)
const swapped = lineOf({
  kind: '"compression_size"',
  ...Object.fromEntries(Object.entries(VALID.compression_size).reverse()),
})
const access = (changes: Tokens): string => line('random_access_time', changes)
const absent = { peak_physical: 'null', peak_virtual: undefined, physical_delta: 'null', virtual_delta: undefined }

const TAKEN: Readonly<Record<string, string>> = {
  'spaces between all tokens': size({})
    .replace(/([{},:])/g, ' $1 ')
    .trim(),
  'a carriage return at the end': `${size({})}\r`,
  'keys in another order behind kind': swapped,
  'integers of 18 digits': size({ value_bytes: '999999999999999999' }),
  'negative integers': size({ value_bytes: '-999999999999999999' }),
  zero: size({ value_bytes: '0' }),
  'i32 of 9 digits': query({ query_idx: '-999999999' }),
  'an empty list': query({ all_runtimes_ns: '[]' }),
  'a list with spaces': query({ all_runtimes_ns: '[1, 2,  3]' }),
  'optional fields that are null or absent': query({ dataset_variant: 'null', scale_factor: undefined, ...absent }),
  'text that is not ASCII': size({ dataset: '"größe データ 🙂 \u007f"' }),
  'an empty string': size({ dataset: '""' }),
  'a threshold of 15 characters': search('0.1234567890123'),
  'an integer as threshold': search('-0'),
  'a negative zero as threshold': search('-0.0'),
  'a size of version 1': size(BEFORE[1]),
  'a random access of versions 1 and 2': access(BEFORE[1]),
  'a random access that opened the file again': access({ open_mode: '"reopen"' }),
  'added fields before all others': access(BEFORE[1]).replace('"commit_sha"', '"open_mode":"reopen","commit_sha"'),
  'added fields behind all others': access(BEFORE[1]).replace('}', ',"open_mode":"cached"}'),
}

const LEFT: Readonly<Record<string, string>> = {
  'a space or a tab before the object': ` ${size({})}`,
  'a tab between tokens': size({}).replace(':', ':\t'),
  'kind not first': `{"dataset":"d",${size({ dataset: undefined }).slice(1)}`,
  'kind twice': `${size({}).slice(0, -1)},"kind":"compression_size"}`,
  'a key twice': `${size({}).slice(0, -1)},"dataset":"again"}`,
  'a key twice in a row': size({}).replace('"value_bytes"', '"value_bytes":1,"value_bytes"'),
  'an escape in a string': size({ dataset: '"a\\u0062"' }),
  'an escape in a key': size({}).replace('"dataset"', '"datase\\u0074"'),
  'a control character in a string': size({ dataset: '"a\u001fb"' }),
  'an unknown key': size({ extra: '1' }),
  'an unknown kind': size({ kind: '"compression_siz"' }),
  'a missing field': size({ format: undefined }),
  'null where none may be': size({ format: 'null' }),
  'integers of 19 digits': size({ value_bytes: '1000000000000000000' }),
  'integers of 19 digits in a list': query({ all_runtimes_ns: '[1,9223372036854775807]' }),
  'i32 of 10 digits': query({ query_idx: '1000000000' }),
  'a negative zero': size({ value_bytes: '-0' }),
  'a leading zero': size({ value_bytes: '01' }),
  'a fraction': size({ value_bytes: '1.0' }),
  'an exponent': size({ value_bytes: '1e3' }),
  'a plus sign': size({ value_bytes: '+1' }),
  'a sign alone': size({ value_bytes: '-' }),
  'a comma too much in a list': query({ all_runtimes_ns: '[1,]' }),
  'a comma too much': size({}).replace('}', ',}'),
  'a threshold of 16 characters': search('0.12345678901234'),
  'a threshold with an exponent': search('1e2'),
  'a threshold without a fraction behind its point': search('1.'),
  'a threshold without a digit before its point': search('.5'),
  'a storage that is none': query({ storage: '"nvm"' }),
  'a storage that only starts like one': query({ storage: '"nvmes3"' }),
  'an open mode that is none': access({ open_mode: '"reopened"' }),
  'an open mode that is null': access({ open_mode: 'null' }),
  'an open mode twice': access({}).replace('}', ',"open_mode":"cached"}'),
  'an uncompressed size that is null': size({ uncompressed_bytes: 'null' }),
  'an added field of another kind': size({ open_mode: '"cached"' }),
  'half of the memory four': query({ peak_physical: 'null' }),
  'something behind the object': `${size({})} {}`,
  'no end': size({}).slice(0, -1),
  nothing: '',
}

t.test('plain lines of every kind are taken', async t => {
  for (const kind of KIND_NAMES) t.equal(scanned(line(kind))?.kind, kind)
})

t.test('taken, and read as the exact reader reads it, is what every JSON reader reads the same', async t => {
  for (const [what, text] of Object.entries(TAKEN)) {
    const row = scanned(text)
    t.ok(row !== undefined && same(row, readExactly(text)), what)
  }
})

t.test('a row says which contract versions it fits, whichever reader took it', async t => {
  const cases: readonly (readonly [text: string, versions: readonly number[]])[] = [
    [query({}), [1, 2, 3]],
    [size({}), [2, 3]],
    [size(BEFORE[1]), [1]],
    [access({}), [3]],
    [access(BEFORE[2]), [1, 2]],
  ]
  for (const [text, versions] of cases) {
    t.strictSame(scanned(text)?.versions, versions, text)
    t.strictSame(readExactly(text)?.versions, versions, text)
  }
})

t.test('left to the exact reader is what JSON readers could disagree about, and what is wrong', async t => {
  for (const [what, text] of Object.entries(LEFT)) t.equal(scanned(text), undefined, what)
})

t.test('a line that is left adds no row, and the next one is read as if it had not been there', async t => {
  const bytes = Buffer.from(`${query({ storage: '"x"' })}\n${size({ dataset_variant: 'null' })}\n`)
  batch.reset(bytes, 0)
  t.equal(scanRecord(bytes, batch, PLACE), NOT_SCANNED)
  t.equal(batch.count, 0)
  scanRecord(bytes, batch, { line: 2, start: bytes.indexOf(0x0a) + 1 })
  t.strictSame(rowOf(batch, 0).fields, {
    commit_sha: JSON.parse(VALID.compression_size.commit_sha) as string,
    dataset: 'taxi',
    format: 'vortex',
    value_bytes: '4096',
    uncompressed_bytes: '16384',
  })
})

t.test('a line is read for itself, whatever the line before it started with', async t => {
  const sha = `"commit_sha":${VALID.compression_size.commit_sha}`
  const rest = '"dataset":"taxi","format":"vortex","value_bytes":1}'
  for (const head of ['{"kind":"compression_size",', '{"kind":"compression_size","dataset_variant":null,']) {
    t.ok(scanned(`${head}${sha},${rest}`), 'taken')
    for (const again of [sha, '"dataset_variant":"v","dataset_variant":"w"', '"kind":"compression_size"'])
      t.equal(scanned(`${head}${sha},${again},${rest}`), undefined, `left: ${again} twice`)
    t.equal(scanned(`${head}${sha},"dataset_variant":"v",${rest}`) === undefined, head.includes('variant'))
    t.equal(scanned(`${head}${sha}x,${rest}`), undefined, 'the head of a line must end where the string does')
  }
})

/** A line with one to three changes, which may leave it valid. */
function oddLine(random: Random): Buffer {
  const { kind, tokens } = tokensOfAnyVersion(random)
  let pairs: readonly Pair[] = Object.entries({ kind: `"${kind}"`, ...tokens } as Tokens).flatMap(([name, token]) =>
    token === undefined ? [] : [[name, token] as const],
  )
  for (let changes = random.int(0, 2); changes > 0; changes--) pairs = random.pick(PAIR_CHANGES)(pairs, random)
  let bytes: Buffer = Buffer.from(joined(pairs, random.pick(SPACES), random))
  for (let changes = random.int(0, 1); changes > 0; changes--) bytes = random.pick(BYTE_CHANGES)(bytes, random)
  return bytes
}

type Pair = readonly [name: string, token: string]

function joined(pairs: readonly Pair[], space: string, random: Random): string {
  const maybe = (): string => (random.chance(0.3) ? space : '')
  const texts = pairs.map(([name, token]) => `${maybe()}${JSON.stringify(name)}${maybe()}:${maybe()}${token}${maybe()}`)
  return `{${texts.join(',')}}${maybe()}`
}

function inserted(pairs: readonly Pair[], pair: Pair, random: Random): Pair[] {
  const at = random.int(0, pairs.length)
  return [...pairs.slice(0, at), pair, ...pairs.slice(at)]
}

function spliced(bytes: Buffer, random: Random, removed: number, added: Buffer): Buffer {
  const at = random.int(0, bytes.length)
  return Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)])
}

/** Replaces one character of a string token by its escape sequence. */
function escaped(token: string, random: Random): string {
  const at = random.int(1, Math.max(1, token.length - 2))
  const unit = token.charCodeAt(at).toString(16).padStart(4, '0')
  return `${token.slice(0, at)}\\u${unit}${token.slice(at + 1)}`
}
