/** An archive of Parquet objects: other programs read it, and it gives back the same records, ids and generations. */

import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { memoryStorage } from '../../../src/storage/memory.js'
import { archiveIn } from '../../../src/targets/archive/sink.js'
import type { OutboxDelivery } from '../../../src/source/delivery.js'
import { runCli, type CliResult } from '../../fixtures/cli.js'
import { deliveryOf, size } from '../../fixtures/delivery.js'
import { Random, SEED } from '../../fixtures/random.js'
import { jsonl, plainLine, query, SHA, writeCommit } from '../../fixtures/records.js'
import { duckDbTypes, readWithDuckDb } from '../../fixtures/table-readers.js'

const KEY = `compression_sizes/${SHA}/0000000000000003-0000000000000009.parquet`

async function delivery(lines: readonly string[], attempt = 1): Promise<OutboxDelivery> {
  const ci = { producer: 'p', run: 7, attempt }
  const order = { deliveryId: 'd', generation: { producedAt: '2026-01-31T12:00:00.000Z', ci } }
  return { ...(await deliveryOf(lines)), range: { since: 3, until: 9 }, order }
}

t.test('a retry finds equal bytes, and a change of a byte or of a record is noticed', async t => {
  const [storage, other] = [memoryStorage(), memoryStorage()]
  const lines = Array.from({ length: 1_000 }, (_, index) => size(`set ${index}`, index))
  const write = async (into: typeof storage, what: readonly string[]) =>
    archiveIn(into, { format: 'parquet' }).write(await delivery(what), () => undefined)
  t.match(await write(storage, lines), { inserted: 1_000 })
  t.match(await write(storage, lines), { inserted: 0, updated: 1_000 })
  await write(other, lines)
  t.ok((await storage.get(KEY))!.equals((await other.get(KEY))!), 'equal records give equal bytes')
  await t.rejects(write(storage, lines.slice(1).concat(size('new', 1))), {
    code: 'target_misconfigured',
    message: /holds other records/,
  })
  // The first records of a retried delivery may have been pruned since.
  t.match(await write(storage, lines.slice(10)), { inserted: 0, updated: 990 })
})

async function run(cwd: string, ...args: readonly string[]): Promise<CliResult> {
  const result = await runCli(args, { cwd })
  if (result.code !== 0) throw new Error(result.stderr)
  return result
}

t.test(`export gives the records back, also beside jsonl objects (TEST_SEED=${SEED})`, async t => {
  const cwd = t.testdir({})
  const random = new Random()
  const push = ['push', 'f.jsonl', '--commit', writeCommit(cwd), '--state', 'state', '--archive', 'archive']
  writeFileSync(join(cwd, 'f.jsonl'), jsonl(Array.from({ length: 200 }, () => plainLine(random))))
  await run(cwd, ...push, '--archive-format', 'parquet')
  const folder = join(cwd, 'archive', 'query_measurements', SHA)
  const [object = ''] = readdirSync(folder)
  t.match(object, /^\d{16}-\d{16}\.parquet$/)
  t.match(await duckDbTypes(join(folder, object)), { measurement_id: 'BIGINT', all_runtimes_ns: 'BIGINT[]' })
  const ids = async (file: string): Promise<readonly string[]> => {
    const { stdout } = await run(cwd, 'id', file)
    return [...new Set(stdout.split('\n').map(line => line.split(/\s/)[0]!))].sort()
  }
  await run(cwd, 'export', '--from-archive', 'archive', '--output', 'out.jsonl')
  t.strictSame(await ids('out.jsonl'), await ids('f.jsonl'))
  const stored = (await readWithDuckDb(join(folder, object))).map(([id]) => id)
  t.ok(stored.every(id => id !== null))

  // The next push writes jsonl; its value is newer than the one in the Parquet object.
  appendFileSync(join(cwd, 'f.jsonl'), jsonl([query({ dataset: 'again', value_ns: 1 })]))
  await run(cwd, ...push, '--archive-format', 'parquet')
  appendFileSync(join(cwd, 'f.jsonl'), jsonl([query({ dataset: 'again', value_ns: 2 })]))
  await run(cwd, ...push)
  const { stdout } = await run(cwd, 'export', '--from-archive', 'archive')
  const again = stdout.split('\n').filter(line => line.includes('"again"'))
  t.strictSame(again, [query({ dataset: 'again', value_ns: 2 })])
  const tables = await run(cwd, 'export', '--from-archive', 'archive', '--format', 'csv', '--output', 'tables')
  t.match(tables.stdout, /^exported \d+ records to tables/)

  const damaged = readFileSync(join(folder, object))
  damaged.writeUInt8(damaged[40]! ^ 1, 40)
  writeFileSync(join(folder, object), damaged)
  const failed = await runCli(['export', '--from-archive', 'archive'], { cwd })
  t.equal(failed.code, 65, failed.stderr)
  t.match(failed.stderr, new RegExp(`query_measurements/${SHA}/${object} in .*: `))
})
