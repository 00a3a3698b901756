/** Reading an archive gives the newest record of each measurement, whatever happened to the outbox. */

import { appendFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { wasmHash64 } from '../../../src/contract/hash64.js'
import type { Target } from '../../../src/delivery/target.js'
import { compactOutbox } from '../../../src/state/compact.js'
import { pruneOutbox } from '../../../src/state/prune.js'
import type { State } from '../../../src/state/state.js'
import { memoryStorage } from '../../../src/storage/memory.js'
import { openBucketStorage } from '../../../src/storage/open-storage.js'
import type { BucketStorage } from '../../../src/storage/storage.js'
import { newestRecords } from '../../../src/targets/archive/read.js'
import { archiveSink } from '../../../src/targets/archive/sink.js'
import { lineOf, push, target, write, type TestTarget } from '../../delivery/durable/fixtures/durable.js'
import { Random, SEED } from '../../fixtures/random.js'
import { SHA } from '../../fixtures/records.js'
import { testState } from '../../state/fixtures/state.js'

const hash = await wasmHash64()
const { signal } = new AbortController()

async function exported(objects: BucketStorage, commit?: string): Promise<readonly string[]> {
  let text = ''
  for await (const { rows, lineOf } of newestRecords(objects, { commit, hash, signal }))
    text += Buffer.concat(rows.map(lineOf)).toString()
  return text.split('\n').slice(0, -1)
}

const keyOf = (since: number, last: number, commit = SHA): string =>
  `compression_sizes/${commit}/${[since, last].map(number => String(number).padStart(16, '0')).join('-')}.jsonl.gz`

const packed = (...pairs: readonly string[]): Buffer => gzipSync(pairs.map(pair => `${lineOf(pair)}\n`).join(''))

t.test('the newest record is in the object whose range ends last, as after a full refresh', async t => {
  const objects = memoryStorage()
  await objects.put(keyOf(0, 2), packed('a=1', 'b=1'))
  await objects.put(keyOf(2, 3), packed('a=2'))
  await objects.put(keyOf(0, 4), packed('a=1', 'b=1', 'a=2', 'a=3'))
  await objects.put(keyOf(4, 5), packed('c=1'))
  t.strictSame(
    await exported(objects),
    ['b=1', 'a=3', 'c=1'].map(pair => lineOf(pair)),
  )
})

t.test('measurements of other commits and tables are separate, and one commit can be chosen', async t => {
  const objects = memoryStorage()
  const other = 'f'.repeat(40)
  await objects.put(keyOf(0, 1), packed('a=1'))
  await objects.put(keyOf(0, 1, other), gzipSync(`${lineOf('a=2', other)}\n`))
  t.strictSame(await exported(objects), [lineOf('a=1'), lineOf('a=2', other)])
  t.strictSame(await exported(objects, other), [lineOf('a=2', other)])
  t.strictSame(await exported(objects, 'e'.repeat(40)), [])
})

t.test('an object that cannot be read is named', async t => {
  const whole = packed('a=1')
  const named = (key: string): RegExp => new RegExp(key.replaceAll('.', String.raw`\.`))
  for (const [key, body, code] of [
    [keyOf(0, 1), whole.subarray(0, -4), 'input_corrupt'],
    [keyOf(0, 1), gzipSync('{}\n'), 'bad_data'],
    [`compression_sizes/${SHA}/notes.txt`, whole, 'bad_data'],
  ] as const) {
    const objects = memoryStorage()
    await objects.put(key, body)
    await t.rejects(exported(objects), { code, message: named(key) })
  }
})

const EPISODES = 30

t.test(`${EPISODES} random histories are read back as a database has them (TEST_SEED=${SEED})`, async t => {
  for (let episode = 0; episode < EPISODES; episode++) {
    const random = new Random(SEED + episode)
    const history = await runHistory(t, random)
    const objects = await openBucketStorage({ kind: 'local', folder: history.folder })
    const newest = (await exported(objects)).map(line => JSON.parse(line) as { dataset: string; value_bytes: number })
    const values = newest.map(({ dataset, value_bytes }) => [dataset, value_bytes] as const)
    t.strictSame(new Map(values), history.database.rows, history.steps.join(', '))
    t.equal(values.length, history.database.rows.size, 'each measurement once')
  }
})

type History = { readonly folder: string; readonly database: TestTarget; readonly steps: readonly string[] }

/** Pushes, with refreshes, to an archive and a database, either of which is left out at times; prunes and compacts. */
async function runHistory(t: Test, random: Random): Promise<History> {
  const dir = t.testdir({})
  const folder = `${dir}/archive`
  const [state, database] = [testState(), target('postgres:here')]
  const archive: Target = { name: 'archive', kind: 'archive', opener: archiveSink({ kind: 'local', folder }) }
  const files = ['f', 'g'].map(name => write(dir, name))
  const steps: string[] = []
  // Both are known to the state from here on, so that nothing is pruned before they have it.
  await deliverRest(state, files, [database, archive])
  let value = 0
  for (let left = random.int(4, 12); left > 0; left--) {
    const file = random.pick(files)
    const step = random.pick(['append', 'append', 'refresh', 'prune', 'compact'] as const)
    steps.push(`${step} ${file.slice(-1)}`)
    if (step === 'prune') await exhaust(pruneOutbox(state, { olderThanMs: undefined, dryRun: false }))
    else if (step === 'compact') await exhaust(compactOutbox(state, { dryRun: false }))
    else {
      for (let lines = random.int(1, 3); lines > 0; lines--)
        appendFileSync(file, `${lineOf(`${random.pick(['a', 'b', 'c'])}=${++value}`)}\n`)
      const targets = random.pick([[database, archive], [database, archive], [database], [archive]])
      await push(state, [file], targets, { fullRefresh: step === 'refresh' })
    }
  }
  await deliverRest(state, files, [database, archive])
  return { folder, database, steps }
}

async function deliverRest(state: State, files: readonly string[], targets: readonly Target[]): Promise<void> {
  const { exitCode } = await push(state, files, targets, { require: 'all' })
  if (exitCode !== 0) throw new Error(`exit code ${exitCode}`)
}

async function exhaust(results: AsyncIterable<unknown>): Promise<void> {
  for await (const result of results) void result
}
