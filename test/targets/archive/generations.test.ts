/** Reading an archive gives the values of the newest generations, as Postgres has them, in any order of delivery. */

import { createHash } from 'node:crypto'
import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import type { CiAttempt } from '../../../src/contract/generation.js'
import { wasmHash64 } from '../../../src/contract/hash64.js'
import { migrate } from '../../../src/database/migrate.js'
import { connectPostgres } from '../../../src/database/postgres/connect.js'
import { parseDsn } from '../../../src/database/postgres/dsn.js'
import type { PushOptions } from '../../../src/delivery/push.js'
import type { Target } from '../../../src/delivery/target.js'
import { archive, postgres } from '../../../src/library/targets.js'
import { compactOutbox } from '../../../src/state/compact.js'
import { pruneOutbox } from '../../../src/state/prune.js'
import { memoryStorage } from '../../../src/storage/memory.js'
import { openBucketStorage } from '../../../src/storage/open-storage.js'
import type { BucketStorage } from '../../../src/storage/storage.js'
import { withGzipComment } from '../../../src/targets/archive/gzip-comment.js'
import { newestRecords } from '../../../src/targets/archive/read.js'
import { drained, lineOf, push, write } from '../../delivery/durable/fixtures/durable.js'
import { startPostgres } from '../../fixtures/postgres.js'
import { Random, SEED } from '../../fixtures/random.js'
import { COMMIT, SHA } from '../../fixtures/records.js'
import { testState } from '../../state/fixtures/state.js'

const EPISODES = 20
const DATASETS = ['a', 'b', 'c']
const STEPS = ['attempt', 'plain', 'grow', 'forced', 'refresh', 'prune', 'compact'] as const
const PRODUCERS = ['GitHub Actions https://github.com/owner/repo', 'GitLab Grüße']
const MINUTE_MS = 60_000

const hash = await wasmHash64()
const server = await startPostgres(t)
const url = await server.createDatabase('ordered')
const session = await connectPostgres(parseDsn(url, { insecureLocal: true }))
await migrate(session)
await session.close()
const database = postgres(url, { insecureLocal: true })

type Values = ReadonlyMap<string, string>

async function readArchive(objects: BucketStorage): Promise<Values> {
  let text = ''
  const { signal } = new AbortController()
  for await (const { rows, lineOf } of newestRecords(objects, { hash, signal }))
    text += Buffer.concat(rows.map(lineOf)).toString()
  return valuesOf(
    text
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line) as Row),
  )
}

async function readDatabase(sha: string): Promise<Values> {
  const rows = await server.sql(
    `SELECT dataset, value_bytes FROM compression_sizes WHERE commit_sha = '${sha}'`,
    'ordered',
  )
  return valuesOf(rows)
}

type Row = Readonly<Record<string, unknown>>

function valuesOf(rows: readonly Row[]): Values {
  const values = new Map(rows.map(({ dataset, value_bytes }) => [String(dataset), String(value_bytes)]))
  if (values.size !== rows.length) throw new Error(`${rows.length} rows of ${values.size} data sets`)
  return new Map([...values].sort())
}

type Options = { readonly random: Random; readonly sha: string; readonly dir: string }

/** Pushes of one commit to an archive and to Postgres, either of which gets some of them later. */
class History {
  readonly steps: string[] = []
  readonly #state = testState()
  readonly #folder: string
  readonly #archive: Target
  /** The first one grows. */
  readonly #files: string[]
  #values = 0

  constructor(private readonly options: Options) {
    const { dir } = options
    mkdirSync(dir, { recursive: true })
    this.#folder = join(dir, 'archive')
    this.#archive = archive(this.#folder)
    this.#files = [write(dir, 'grown.jsonl')]
  }

  /** @returns the values in the archive and in Postgres */
  async run(): Promise<readonly [Values, Values]> {
    const { random, sha } = this.options
    // Both are known to the state from here on, so that nothing is pruned before they have it.
    await this.#push(this.#files[0]!, {}, [database, this.#archive])
    for (let left = random.int(4, 12); left > 0; left--) await this.#step()
    assertDone(await drained(this.#state, [database, this.#archive]))
    return [
      await readArchive(await openBucketStorage({ kind: 'local', folder: this.#folder })),
      await readDatabase(sha),
    ]
  }

  async #step(): Promise<void> {
    const { random } = this.options
    // Pushes with one state are ordered by it, although the clocks of their machines differ.
    this.#state.clock.now += random.int(-2, 2) * MINUTE_MS
    const step = random.pick([...STEPS, ...STEPS.slice(0, 2)])
    this.steps.push(step)
    if (step === 'attempt') return this.#push(this.#makeFile(), { ci: this.#attempt() })
    if (step === 'plain') return this.#push(this.#makeFile(), {})
    if (step === 'forced') return this.#push(this.#makeFile(), { forceOlder: true })
    if (step === 'refresh') return this.#push(random.pick(this.#files), { fullRefresh: true })
    if (step === 'prune') return exhaust(pruneOutbox(this.#state, { olderThanMs: undefined, dryRun: false }))
    if (step === 'compact') return exhaust(compactOutbox(this.#state, { dryRun: false }))
    appendFileSync(this.#files[0]!, this.#lines())
    return this.#push(this.#files[0]!, {})
  }

  #attempt(): CiAttempt {
    const { random } = this.options
    const ci = { producer: random.pick(PRODUCERS), run: random.int(1, 3), attempt: random.int(1, 2) }
    this.steps.push(`${ci.producer.slice(0, 6)} ${ci.run}.${ci.attempt}`)
    return ci
  }

  #makeFile(): string {
    const path = write(this.options.dir, `${this.#files.length}.jsonl`)
    appendFileSync(path, this.#lines())
    this.#files.push(path)
    return path
  }

  #lines(): string {
    const { random, sha } = this.options
    const pairs = random
      .shuffled(DATASETS)
      .slice(0, random.int(1, 3))
      .map(dataset => `${dataset}=${++this.#values}`)
    this.steps.push(pairs.join(' '))
    return pairs.map(pair => `${lineOf(pair, sha)}\n`).join('')
  }

  async #push(path: string, options: Pushing, targets = this.#someTargets()): Promise<void> {
    const commit = { ...COMMIT, sha: this.options.sha }
    assertDone(await push(this.#state, [path], targets, { ...options, commit: async () => commit, require: 'all' }))
  }

  #someTargets(): readonly Target[] {
    const targets = [database, this.#archive]
    return this.options.random.chance(0.5) ? targets : [this.options.random.pick(targets)]
  }
}

type Pushing = Pick<PushOptions, 'ci' | 'forceOlder' | 'fullRefresh'>

function assertDone({ exitCode }: { readonly exitCode: number }): void {
  if (exitCode !== 0) throw new Error(`exit code ${exitCode}`)
}

async function exhaust(results: AsyncIterable<unknown>): Promise<void> {
  for await (const result of results) void result
}

t.test(
  `${EPISODES} random histories with CI attempts are read back as Postgres has them (TEST_SEED=${SEED})`,
  async t => {
    const dir = t.testdir({})
    for (let episode = 0; episode < EPISODES; episode++) {
      const sha = createHash('sha1').update(`archived ${episode}`).digest('hex')
      const history = new History({ random: new Random(SEED + episode), sha, dir: join(dir, String(episode)) })
      const [archived, stored] = await history.run()
      t.ok(stored.size > 0)
      t.strictSame(archived, stored, history.steps.join(', '))
    }
  },
)

const keyOf = (since: number, last: number): string =>
  `compression_sizes/${SHA}/${[since, last].map(number => String(number).padStart(16, '0')).join('-')}.jsonl.gz`

const packed = (pair: string): Buffer => gzipSync(`${lineOf(pair)}\n`)

t.test('objects of earlier versions have no generation and count as outside of CI', async t => {
  const objects = memoryStorage()
  const of = (run: number): string =>
    `{"producedAt":"2026-01-31T12:00:00Z","ci":{"producer":"p","run":${run},"attempt":1}}`
  await objects.put(keyOf(0, 1), withGzipComment(packed('a=2'), of(2)))
  await objects.put(keyOf(1, 2), withGzipComment(packed('a=1'), of(1)))
  t.strictSame(await readArchive(objects), new Map([['a', '2']]))
  await objects.put(keyOf(2, 3), packed('a=0'))
  t.strictSame(await readArchive(objects), new Map([['a', '0']]))
})

t.test('an object with a damaged generation is named', async t => {
  const objects = memoryStorage()
  await objects.put(keyOf(0, 1), withGzipComment(packed('a=2'), '{"producedAt":'))
  await t.rejects(readArchive(objects), {
    code: 'bad_data',
    message: /^compression_sizes.*its gzip comment is not a generation/,
  })
})
