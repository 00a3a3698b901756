/** Inputs that change through a shared mapping, which leaves size and times of the file as they are. */

import { createServer } from 'node:http'
import { existsSync, mkdtempSync, realpathSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openState, postgres, push, server, type PushOptions, type PushResult } from '../../src/index.js'
import { migrate } from '../../src/database/migrate.js'
import { connectPostgres } from '../../src/database/postgres/connect.js'
import { parseDsn } from '../../src/database/postgres/dsn.js'
import type { Target } from '../../src/delivery/target.js'
import { fileSource } from '../../src/source/source.js'
import { mapFile, NO_PYTHON } from '../source/fixtures/mapped-file.js'
import { size } from '../fixtures/delivery.js'
import { applied, recordsOf, startAnswering } from '../fixtures/http-server.js'
import { listen } from '../fixtures/listen.js'
import { startPostgres } from '../fixtures/postgres.js'
import { COMMIT, RUN } from '../fixtures/records.js'
import { waitUntil } from '../fixtures/wait-until.js'

/** Enough records that their rows are not kept in memory between the two readings. */
const MANY = 150_000
const FIRST_DATASET = size('a0').indexOf('a0')

const TMPFS = 0x01021994
const isOnTmpfs = (path: string): boolean => statfsSync(path).type === TMPFS

function write(folder: string, records: number): string {
  const path = join(folder, 'results.jsonl')
  writeFileSync(path, Array.from({ length: records }, (_, index) => `${size(`a${index}`)}\n`).join(''))
  return path
}

/** Changes the first dataset of a mapped file from `a0` to `b0`, which its times do not show. */
async function firstDatasetChanger(t: Test, path: string): Promise<() => Promise<void>> {
  const mapped = await mapFile(t, path)
  const before = statSync(path, { bigint: true })
  return async () => {
    await mapped.change(FIRST_DATASET, 'b')
    const after = statSync(path, { bigint: true })
    t.strictSame([after.mtimeNs, after.ctimeNs], [before.mtimeNs, before.ctimeNs], 'the times do not show the change')
  }
}

t.test('a change after the check is noticed before anything is committed', { skip: NO_PYTHON }, async t => {
  const pushChanging = async (path: string, target: Target): Promise<PushResult> => {
    const change = await firstDatasetChanger(t, path)
    // The commit is looked up after the check and before the delivery.
    const commit = (): Promise<typeof COMMIT> => change().then(() => COMMIT)
    return push([path], { commit, run: RUN, targets: [target] })
  }

  await t.test('by a server, before it is asked', async t => {
    const there = await startAnswering(t, applied)
    await t.rejects(pushChanging(write(t.testdir(), 3), server(there.url)), { code: 'input_changed', exitCode: 65 })
    t.strictSame(there.asked, [])
  })

  await t.test('by a server, during the last request', async t => {
    const path = write(t.testdir(), MANY)
    const change = await firstDatasetChanger(t, path)
    let complete = 0
    const there = createServer((request, response) => {
      request.resume().once('end', () => {
        if (request.method === 'POST') complete++
        // The contract version is asked for after the envelopes were planned.
        else void change().then(() => response.writeHead(404).end())
      })
    })
    const port = await listen(t, there)
    const { targets } = await push([path], { commit: COMMIT, run: RUN, targets: [server(`http://127.0.0.1:${port}`)] })
    t.match(targets, [{ receipts: [], error: { code: 'input_changed', exitCode: 65 } }])
    t.equal(complete, 0, 'the server got no complete envelope')
  })

  await t.test('by Postgres, which stores the checked rows if they are few enough to be kept', async t => {
    const database = await startPostgres(t)
    const url = (await database.createDatabase('changed')).replace('?sslmode=disable', '')
    const session = await connectPostgres(parseDsn(url, { insecureLocal: true }))
    await migrate(session)
    await session.close()
    const target = postgres(url, { insecureLocal: true })
    const stored = (): Promise<unknown> => database.sql('SELECT dataset FROM compression_sizes ORDER BY 1', 'changed')
    t.match((await pushChanging(write(t.testdir(), MANY), target)).targets, [
      { receipts: [], error: { code: 'input_changed', exitCode: 65 } },
    ])
    t.strictSame(await stored(), [])
    t.match((await pushChanging(write(t.testdir(), 1), target)).targets, [{ status: 'delivered' }])
    t.strictSame(await stored(), [{ dataset: 'a0' }])
  })
})

t.test('with a state, a change through a shared mapping is not taken for nothing new', { skip: NO_PYTHON }, async t => {
  const datasets = (body: readonly unknown[]): string[] => body.map(record => (record as { dataset: string }).dataset)
  const folders: Readonly<Record<string, () => string | undefined>> = {
    'on a disk, where the first write after a flush changes the times': () =>
      mkdtempSync(join(realpathSync(tmpdir()), 'vortex-ingest-changed-')),
    'on tmpfs, where the bytes are always compared': () =>
      existsSync('/dev/shm') && isOnTmpfs('/dev/shm') ? mkdtempSync('/dev/shm/vortex-ingest-changed-') : undefined,
  }
  for (const [where, makeFolder] of Object.entries(folders))
    await t.test(where, async t => {
      const folder = makeFolder()
      if (folder === undefined) return void t.comment('this system has no /dev/shm')
      t.teardown(() => rmSync(folder, { recursive: true }))
      const path = write(folder, 3)
      const mapped = await mapFile(t, path)
      const source = fileSource(path)
      if (!isOnTmpfs(folder)) await waitUntil(async () => (await source.stat({ flush: true })) !== '')
      const there = await startAnswering(t, applied)
      const state = await openState(join(t.testdir(), 'state'))
      const options: PushOptions = { commit: COMMIT, run: RUN, state, targets: [server(there.url)] }
      await push([path], options)
      await mapped.change(FIRST_DATASET, 'b')
      const second = await push([path], options)
      t.match(second.sources, [{ change: 'other' }])
      const third = await push([path], options)
      t.match(third.sources, [{ change: 'unchanged' }])
      t.strictSame(
        there.asked.map(asked => datasets(recordsOf(asked))),
        [
          ['a0', 'a1', 'a2'],
          ['b0', 'a1', 'a2'],
        ],
      )
    })
})
