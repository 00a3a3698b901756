/** Tests that every target returns exactly the strings, integers and doubles that were delivered to it. */

import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { type Commit, COMMIT_FIELDS } from '../../src/contract/commit.js'
import { CONTRACT, type Kind, SCHEMA_VERSION, type Field } from '../../src/contract/kinds.js'
import { serverRows } from '../../src/delivery/server-rows.js'
import { databaseRows, type StoredRows } from '../../src/delivery/stored-rows.js'
import { verify } from '../../src/delivery/verify.js'
import { embeddedStore } from '../../src/server/store/embedded.js'
import { postgresStore } from '../../src/server/store/postgres.js'
import type { Store } from '../../src/server/store/store.js'
import { archiveSink } from '../../src/targets/archive/sink.js'
import { openEmbedded } from '../../src/database/embedded/session.js'
import { embeddedSink } from '../../src/targets/embedded/sink.js'
import { serverSink } from '../../src/targets/server/sink.js'
import { migrate } from '../../src/database/migrate.js'
import { connectPostgres } from '../../src/database/postgres/connect.js'
import { parseDsn, type PostgresAddress } from '../../src/database/postgres/dsn.js'
import { postgresSink } from '../../src/targets/postgres/sink.js'
import type { Delivery } from '../../src/source/delivery.js'
import type { SinkOpener } from '../../src/targets/sink.js'
import type { SqlSession } from '../../src/database/session.js'
import { deliveryOf } from '../fixtures/delivery.js'
import { COMMIT } from '../fixtures/records.js'
import { startPostgres, type PostgresServer } from '../fixtures/postgres.js'
import { Random, SEED } from '../fixtures/random.js'
import { startServer, TOKEN } from '../server/fixtures/server.js'
import { databaseCopies } from '../database/embedded/fixtures/folders.js'
import { realText } from '../../src/contract/exact-value.js'
import type { HistoryAnswer } from '../../src/server/read/answers.js'

/** Zero width no-break space. At the start of a byte sequence it is a byte order mark, which decoders drop. */
const MARK = '\ufeff'

const I64 = [0n, -1n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 62n + 1n]

const I32 = [0, -1, 2 ** 31 - 1, -(2 ** 31)]

/** Zeros, the smallest and largest doubles, normal and subnormal, and doubles that are hard to print or to parse. */
const DOUBLES = [0, -0, 5e-324, -5e-324, 2.225073858507201e-308, 2.2250738585072014e-308, 1.7976931348623157e308]

const HARD_DOUBLES = [-1.7976931348623157e308, 0.1, 1e21, 1e-7, 1e23, 9007199254740993, 5e-320, 123456789012345680]

/** Inclusive ranges of code points. */
const RANGES = {
  ascii: [0x20, 0x7e],
  controls: [0x01, 0x1f],
  laterControls: [0x7f, 0x9f],
  combining: [0x300, 0x36f],
  rightToLeft: [0x590, 0x6ff],
  formatting: [0x200b, 0x200f],
  separatorsAndOverrides: [0x2028, 0x202e],
  isolates: [0x2066, 0x2069],
  lastBeforeSurrogates: [0xd7f0, 0xd7ff],
  privateUse: [0xe000, 0xf8ff],
  noncharacters: [0xfdd0, 0xfdef],
  endOfPlaneZero: [0xfff0, 0xffff],
  basicPlane: [0xa0, 0xd7ff],
  otherPlanes: [0x10000, 0x10ffff],
  lastCharacters: [0x10fff0, 0x10ffff],
} as const

const RANGE_LIST = Object.values(RANGES)

/** Text that COPY, arrays, JSON or SQL might interpret as syntax. */
const SYNTAX = [
  '\\',
  '\\N',
  '\\.',
  '"',
  "'",
  '{',
  '}',
  ',',
  'NULL',
  'null',
  ' ',
  '\t',
  '\n',
  '\r\n',
  '$1',
  '%',
  '\ufffd',
]

const SHOWN = 3

const SHOWN_CHARACTERS = 2_000

const copyDatabase = await databaseCopies()
const random = new Random()
const { signal } = new AbortController()

/** The records of one commit. `smallRows` decides whether a database gets them through COPY or in one round trip. */
type Batch = { readonly commit: Commit; readonly records: readonly OddRecord[]; readonly smallRows: number }

const BATCHES = [oddBatch('a', { count: 150, smallRows: -1 }), oddBatch('b', { count: 40, smallRows: 1_000 })]

t.test(`every target returns what was delivered to it (TEST_SEED=${SEED} repeats it)`, async t => {
  const server = await startPostgres(t)

  await t.test('the embedded database', async t => {
    const folder = copyDatabase(t)
    await deliver(embeddedSink(folder))
    const session = await openEmbedded(folder, { create: false })
    await checkDatabase(t, session).finally(() => session.close())
  })

  await t.test('Postgres', async t => {
    const address = await newDatabase(server, 'direct')
    await deliver(postgresSink(address, { random: Math.random, rolePolicy: 'any' }))
    const session = await connectPostgres(address)
    await checkDatabase(t, session).finally(() => session.close())
  })

  await t.test('a server over the embedded database', async t =>
    checkServer(t, await embeddedStore(copyDatabase(t), { signal })),
  )

  await t.test('a server over Postgres', async t => {
    const address = await newDatabase(server, 'behind_server')
    const options = {
      version: SCHEMA_VERSION,
      signal,
      random: Math.random,
      rolePolicy: 'any',
      onWarning: () => undefined,
    } as const
    await checkServer(t, await postgresStore(address, options))
  })

  await t.test('an archive in a folder', async t => {
    const folder = t.testdir({})
    await deliver(archiveSink({ kind: 'local', folder }))
    for (const { commit, records } of BATCHES)
      for (const { kind, table } of CONTRACT.kinds) {
        const expected = records.filter(record => record.kind.kind === kind).map(({ line }) => `${line}\n`)
        const found = await archivedIn(join(folder, table, commit.sha))
        t.ok(found.equals(Buffer.from(expected.join(''))), `${table} byte for byte`)
      }
  })
})

function oddBatch(digit: string, { count, smallRows }: { readonly count: number; readonly smallRows: number }): Batch {
  const sha = digit.repeat(40)
  const text = (): string => oddText(random, 30)
  const people = { author_name: text(), author_email: text(), committer_name: text(), committer_email: text() }
  const commit = { ...COMMIT, ...people, sha, message: `\ufeff${text()}`, tree_sha: text(), url: text() }
  return { commit, smallRows, records: [...oddRecords(random, sha, count), longRecord(random, sha, 100_000)] }
}

function linesOf({ records }: Batch): readonly string[] {
  return records.map(({ line }) => line)
}

async function deliver(opener: SinkOpener): Promise<void> {
  const sink = await opener.open(signal)
  try {
    for (const batch of BATCHES) {
      const range = { since: 0, until: batch.records.length }
      const delivery: Delivery = { ...(await deliveryOf(linesOf(batch), batch.commit)), range }
      await sink.write(delivery, () => undefined, { 'small-rows': batch.smallRows })
    }
  } finally {
    await sink.close()
  }
}

/** The decompressed content of the only object in a folder. */
async function archivedIn(folder: string): Promise<Buffer> {
  const [name, ...more] = await readdir(folder)
  if (name === undefined || more.length > 0) throw new Error(`${folder} does not hold one object`)
  return gunzipSync(await readFile(join(folder, name)))
}

async function newDatabase(server: PostgresServer, name: string): Promise<PostgresAddress> {
  const url = (await server.createDatabase(name)).replace('?sslmode=disable', '')
  const address = parseDsn(url, { insecureLocal: true })
  const session = await connectPostgres(address)
  await migrate(session).finally(() => session.close())
  return address
}

async function checkDatabase(t: Test, session: SqlSession): Promise<void> {
  await checkVerified(t, databaseRows(session))
  for (const { commit, records } of BATCHES) {
    checkSame(t, [await commitInDatabase(session, commit.sha)], [withoutTime(commit)], 'the commit as delivered')
    for (const kind of CONTRACT.kinds) checkRows(t, kind, records, await rowsInDatabase(session, kind, commit.sha))
  }
}

async function checkServer(t: Test, store: Store): Promise<void> {
  const { url } = await startServer(t, { store })
  t.teardown(() => store.close())
  const address = { base: new URL(url), token: TOKEN, proxy: undefined, authorities: [] }
  const tools = { random: Math.random, sleep, now: () => performance.now() }
  const policy = { attempts: 1, baseDelayMs: 1, maxDelayMs: 1 }
  await deliver(
    serverSink({
      address,
      maxEnvelopeBytes: 1024 * 1024,
      idleTimeoutMs: 60_000,
      gzipLevel: 0,
      whenGzipRefused: 'fail',
      policy,
      tools,
    }),
  )
  const rows = await serverRows({ address, idleTimeoutMs: 60_000, signal })
  await checkVerified(t, rows).finally(() => rows.close())
  for (const { commit, records } of BATCHES) {
    checkSame(t, [await commitOverHttp(url, commit.sha)], [withoutTime(commit)], 'the commit as delivered')
    for (const kind of CONTRACT.kinds) checkRows(t, kind, records, await rowsOverHttp(url, kind, commit.sha))
  }
  await checkHistories(t, url)
}

/** Checks that `verify` finds every record with the values of its line, and no other record. */
async function checkVerified(t: Test, stored: StoredRows): Promise<void> {
  for (const [index, batch] of BATCHES.entries()) {
    const path = join(t.testdir({}), `${index}.jsonl`)
    await writeFile(path, linesOf(batch).join('\n'))
    const differences: unknown[] = []
    const onDifference = (difference: unknown): void => void differences.push(difference)
    const onBad = (bad: unknown): void => void differences.push(bad)
    const target = { openRows: async () => ({ rows: stored, description: 'the target', close: async () => undefined }) }
    const { compared } = await verify([path], { target, extra: true, onRejection: onBad, onDifference })
    t.equal(compared, batch.records.length, 'verify compares every record')
    checkSame(t, differences, [], 'verify finds no difference')
  }
}

function checkRows(t: Test, kind: Kind, records: readonly OddRecord[], found: readonly Values[]): void {
  const expected = records.filter(record => record.kind === kind).map(({ values }) => values)
  checkSame(t, sorted(kind, found), sorted(kind, expected), `${kind.table} as delivered`)
}

function sorted(kind: Kind, rows: readonly Values[]): readonly Values[] {
  const name = uniqueField(kind)
  return [...rows].sort((a, b) => (a[name]! < b[name]! ? -1 : 1))
}

/** Checks that the histories contain each record once, with its dimensions and at its commit. */
async function checkHistories(t: Test, url: string): Promise<void> {
  const histories = await historiesOverHttp(url)
  const shown = histories.flatMap(history =>
    seriesOf(history).flatMap(({ columns, values }) =>
      (values as readonly (string | null)[]).flatMap((value, index) =>
        value === null ? [] : { sha: history.commits[index]!.sha, kind: history.kind, columns, value },
      ),
    ),
  )
  const find = ({ kind, values }: OddRecord): { readonly value: string } | undefined =>
    shown.find(
      point =>
        point.kind === kind.kind &&
        point.sha === values['commit_sha'] &&
        Object.entries(point.columns).every(([name, value]) => values[name] === value),
    )
  const records = BATCHES.flatMap(batch => batch.records)
  checkSame(
    t,
    records.map(record => ({ ...record, value: find(record)?.value })),
    records.map(record => ({ ...record, value: record.values['value_ns'] ?? record.values['value_bytes'] })),
    'each record is in its history',
  )
  t.equal(shown.length, records.length, 'the histories show nothing else')
  checkSame(
    t,
    histories[0]!.commits.map(({ sha, message }) => ({ sha, message })),
    BATCHES.map(({ commit: { sha, message } }) => ({ sha, message: message.split('\n')[0]!.slice(0, 200) })),
    'a history shows the first line of each message',
  )
}

function checkSame(t: Test, found: readonly unknown[], expected: readonly unknown[], name: string): void {
  const length = Math.max(found.length, expected.length)
  const pairs = Array.from({ length }, (_, index) => ({
    found: inAscii(found[index]),
    expected: inAscii(expected[index]),
  }))
  const different = pairs.filter(pair => pair.found !== pair.expected)
  const shown = different.slice(0, SHOWN).map(pair => ({
    found: pair.found.slice(0, SHOWN_CHARACTERS),
    expected: pair.expected.slice(0, SHOWN_CHARACTERS),
  }))
  t.strictSame({ different: different.length, shown }, { different: 0, shown: [] }, name)
}

/** Control characters are escaped, because they would corrupt the test report. */
function inAscii(value: unknown): string {
  const escape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  return (JSON.stringify(value) ?? 'nothing').replace(/[^\x20-\x7e]/g, escape)
}

type JsonRow = Readonly<Record<string, string | readonly string[] | null>>

/** The rows of a kind that belong to a commit, as text formatted by the database. */
async function rowsInDatabase(session: SqlSession, { table, fields }: Kind, sha: string): Promise<Values[]> {
  const columns = fields.map(({ name }) => `${name}::text AS ${name}`)
  const text = `SELECT ${columns.join(', ')} FROM public.${table} WHERE commit_sha = $1`
  const rows = await session.query<Record<string, string | null>>(text, [sha])
  return rows.map(row => valuesOf(fields, name => row[name] ?? null))
}

/** The stored commit without its timestamp, which the database returns in UTC. */
async function commitInDatabase(session: SqlSession, sha: string): Promise<object | undefined> {
  const columns = Object.keys(withoutTime({ sha }))
    .map(name => (name === 'sha' ? 'commit_sha AS sha' : name))
    .join(', ')
  const [row] = await session.query(`SELECT ${columns} FROM public.commits WHERE commit_sha = $1`, [sha])
  return row
}

function withoutTime(commit: Partial<Commit>): object {
  const fields = COMMIT_FIELDS.filter(name => name !== 'timestamp')
  return Object.fromEntries(fields.map(name => [name, commit[name]]))
}

/** The rows of a kind that belong to a commit, through `GET /api/measurements`, page by page. */
async function rowsOverHttp(url: string, kind: Kind, sha: string): Promise<Values[]> {
  const rows: Values[] = []
  for (let after = ''; ;) {
    const answer = await getExact(`${url}/api/measurements?kind=${kind.kind}&commit=${sha}&limit=37${after}`)
    const { measurements, next } = answer as { measurements: readonly JsonRow[]; next: string | null }
    rows.push(...measurements.map(row => valuesOf(kind.fields, name => columnOf(row, name))))
    if (next === null) return rows
    after = `&after=${next}`
  }
}

/** The commit from `GET /api/commits/{sha}`, after checking that `GET /api/commits` agrees with it. */
async function commitOverHttp(url: string, sha: string): Promise<object> {
  const one = (await getExact(`${url}/api/commits/${sha}`)) as Record<string, string>
  const { commits } = (await getExact(`${url}/api/commits`)) as { commits: readonly Record<string, string>[] }
  const listed = commits.find(({ commit_sha }) => commit_sha === sha)
  if (JSON.stringify(one) !== JSON.stringify(listed)) throw new Error('the two routes show different commits')
  return withoutTime({ ...one, sha: one['commit_sha']! })
}

/** The histories of all groups in `GET /api/groups`, read with `GET /api/history/{slug}`. */
async function historiesOverHttp(url: string): Promise<readonly HistoryAnswer[]> {
  const { groups } = (await getExact(`${url}/api/groups`)) as { groups: readonly { readonly slug: string }[] }
  const histories: HistoryAnswer[] = []
  for (const { slug } of groups) histories.push((await getExact(`${url}/api/history/${slug}`)) as HistoryAnswer)
  return histories
}

/** Each series of a history with its columns: those of the group and its own dimensions. */
function seriesOf(history: HistoryAnswer): readonly { readonly columns: Values; readonly values: unknown }[] {
  const { fields } = CONTRACT.kinds.find(({ kind }) => kind === history.kind)!
  const group = history as unknown as JsonRow
  return history.series.map(({ key, values }) => {
    const cellOf = (name: string): string | null => {
      const at = history.dimensions.indexOf(name)
      return at === -1 ? columnOf(group, name) : key[at]!
    }
    const known = fields.filter(({ name }) => history.dimensions.includes(name) || name in group)
    return { columns: valuesOf(known, cellOf), values }
  })
}

function valuesOf(fields: readonly Field[], cellOf: (name: string) => string | null): Values {
  return Object.fromEntries(fields.map(({ name, type }) => [name, normal(type, cellOf(name))]))
}

function columnOf(row: JsonRow, name: string): string | null {
  const value = row[name] ?? null
  return Array.isArray(value) ? `{${value.join(',')}}` : (value as string | null)
}

/** Normalises doubles and arrays, which databases and JSON format differently. Other values stay unchanged. */
function normal(type: Field['type'], text: string | null): string | null {
  if (text === null) return null
  if (type === 'f64') return realText(Number(text))
  return type === '[i64]' ? text.slice(1, -1) : text
}

/** Reads JSON and keeps each number as text, because a JavaScript number cannot hold every i64. */
async function getExact(address: string): Promise<unknown> {
  const response = await fetch(address)
  const text = await response.text()
  if (response.status !== 200) throw new Error(`${address} answered ${response.status}: ${text}`)
  return JSON.parse(text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/gs, token => quoted(token)))
}

function quoted(token: string): string {
  return token.startsWith('"') ? token : `"${token}"`
}

/** The columns of one row as text. The numbers of an array are separated by commas. */
type Values = Readonly<Record<string, string | null>>

type OddRecord = { readonly kind: Kind; readonly line: string; readonly values: Values }

/** One value as a JSON token and as the text expected when it is read back. */
type Cell = { readonly token: string | undefined; readonly value: string | null }

/** Records of one commit. No two of them have the same dimensions. */
function oddRecords(random: Random, sha: string, count: number): readonly OddRecord[] {
  return Array.from({ length: count }, (_, index) =>
    oddRecord(random, { kind: CONTRACT.kinds[index % CONTRACT.kinds.length]!, sha, index }),
  )
}

/** A record with one string of about `length` characters, in a column that is not indexed. */
function longRecord(random: Random, sha: string, length: number): OddRecord {
  const text = `\ufeff${Array.from({ length: length / 5 }, () => oddText(random)).join('')}`
  const kind = CONTRACT.kinds.find(({ fields }) => fields.some(({ name }) => name === 'env_triple'))!
  return oddRecord(random, { kind, sha, index: -1, given: { env_triple: textCell(random, text) } })
}

type Wanted = {
  readonly kind: Kind
  readonly sha: string
  readonly index: number
  readonly given?: Readonly<Record<string, Cell>>
}

function oddRecord(random: Random, { kind, sha, index, given = {} }: Wanted): OddRecord {
  const hasTogether = random.chance(0.5)
  const cellOf = (field: Field): Cell => {
    const { name } = field
    if (given[name] !== undefined) return given[name]
    if (name === 'commit_sha') return textCell(random, sha)
    if (name === uniqueField(kind)) return textCell(random, `${oddText(random)}#${index}`)
    if (kind.together.includes(name) ? !hasTogether : field.optional && random.chance(0.2)) return nullCell(random)
    const allowed = kind.oneOf[name]
    return allowed === undefined ? oddCell(random, field) : textCell(random, random.pick(allowed))
  }
  const cells = kind.fields.map(field => [field.name, cellOf(field)] as const)
  const pairs = random.shuffled(cells).flatMap(([name, { token }]) => (token === undefined ? [] : `"${name}":${token}`))
  return {
    kind,
    line: `{"kind":"${kind.kind}",${pairs.join(',')}}`,
    values: Object.fromEntries(cells.map(([name, { value }]) => [name, value])),
  }
}

/** The dimension that distinguishes the records of a kind in a test. */
function uniqueField({ fields }: Kind): string {
  return fields.some(({ name }) => name === 'format') ? 'format' : 'flavor'
}

function oddCell(random: Random, { type }: Field): Cell {
  switch (type) {
    case 'str':
      return textCell(random, oddText(random))
    case 'i32':
      return numberCell(oddSmallInteger(random))
    case 'i64':
      return numberCell(oddInteger(random))
    case 'f64': {
      const value = oddDouble(random)
      return { token: doubleToken(random, value), value: realText(value) }
    }
    case '[i64]': {
      const value = Array.from({ length: random.int(0, 6) }, () => oddInteger(random)).join(',')
      return { token: `[${value}]`, value }
    }
  }
}

function textCell(random: Random, value: string): Cell {
  return { token: stringToken(random, value), value }
}

function numberCell(digits: string): Cell {
  return { token: digits, value: digits }
}

function nullCell(random: Random): Cell {
  return { token: random.pick([undefined, 'null']), value: null }
}

/** A string of at most `pieces` pieces, often with U+FEFF at its start, inside it or at its end. */
function oddText(random: Random, pieces = 10): string {
  const inner = Array.from({ length: random.int(0, pieces) }, () => oddPiece(random)).join('')
  return (random.chance(0.3) ? MARK : '') + inner + (random.chance(0.2) ? MARK : '')
}

function oddPiece(random: Random): string {
  if (random.chance(0.1)) return MARK
  if (random.chance(0.2)) return random.pick(SYNTAX)
  const [first, last] = random.pick(RANGE_LIST)
  return String.fromCodePoint(random.int(first, last))
}

function oddInteger(random: Random): string {
  return String(random.chance(0.4) ? random.pick(I64) : random.i64())
}

function oddSmallInteger(random: Random): string {
  return String(random.chance(0.3) ? random.pick(I32) : Number(BigInt.asIntN(32, random.i64())))
}

function oddDouble(random: Random): number {
  if (random.chance(0.5)) return random.pick([...DOUBLES, ...HARD_DOUBLES])
  if (random.chance(0.2)) return subnormal(random)
  for (;;) {
    const value = random.bytes(8).readDoubleLE()
    if (Number.isFinite(value)) return value
  }
}

function subnormal(random: Random): number {
  const bytes = random.bytes(8)
  // Clears the exponent, so that the double is subnormal.
  bytes.writeUInt16LE(bytes.readUInt16LE(6) & 0x800f, 6)
  return bytes.readDoubleLE()
}

/** A JSON string token. Each character is written either literally or as an escape. */
function stringToken(random: Random, text: string): string {
  const escape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  const token = (character: string): string =>
    random.chance(0.2) ? character.split('').map(escape).join('') : JSON.stringify(character).slice(1, -1)
  return `"${[...text].map(token).join('')}"`
}

/** A JSON number that reads back as the same double. */
function doubleToken(random: Random, value: number): string {
  if (Object.is(value, -0)) return random.pick(['-0.0', '-0e5'])
  return random.pick([String(value), value.toExponential(), value.toPrecision(17), value.toPrecision(40)])
}
