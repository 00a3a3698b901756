/** Tests the change points that the server finds in what it stores. */

import { execFileSync } from 'node:child_process'
import t from 'tap'
import type { ChangesAnswer, HistoryAnswer } from '../../src/server/read/answers.js'
import { changes as commandChanges } from '../../src/delivery/changes.js'
import { databaseReader } from '../../src/delivery/database-reader.js'
import { fillCrowd } from '../page/fixtures/crowd.js'
import { SEED } from '../fixtures/random.js'
import { envelope } from './fixtures/envelopes.js'
import { plantedSha, pushPlanted } from './fixtures/planted.js'
import { get, post, startServer, type Running } from './fixtures/server.js'
import { emptyTables, startStore } from './fixtures/store.js'

const store = await startStore(t)

async function changes(server: Running): Promise<ChangesAnswer> {
  const { status, body, text } = await get(server, '/api/changes')
  t.equal(status, 200, text.slice(0, 200))
  return body as unknown as ChangesAnswer
}

t.test(`two planted changes among sixty series are found, and nothing else (seed ${SEED})`, async t => {
  const server = await startServer(t, { store })
  t.strictSame(await changes(server), { commits: [], changes: [], analysed: 0, series: 0, more: false })
  const slower = { series: 3, at: 6, factor: 1.27 }
  const faster = { series: 40, at: 9, factor: 1 / 1.4 }
  await pushPlanted(server, { commits: 14, series: 60, changes: [slower, faster] })
  const found = await changes(server)
  t.strictSame([found.analysed, found.series, found.more], [14, 60, false])
  t.strictSame(
    found.commits.map(({ sha, author }) => [sha, author]),
    [
      [plantedSha(9), 'Author 9'],
      [plantedSha(6), 'Author 6'],
    ],
    'the newest first',
  )
  const [first, second] = found.changes
  t.equal(found.changes.length, 2)
  t.match(first, { commit: plantedSha(9), before: plantedSha(8), slug: 'random_access_time.planted', unit: 'ns' })
  t.strictSame(
    [first?.dimensions, first?.key],
    [
      ['format', 'open_mode'],
      ['format-40', 'cached'],
    ],
  )
  t.match(second, { commit: plantedSha(6), before: plantedSha(5), key: ['format-3', 'cached'] })
  t.ok(Math.abs(second!.new / second!.old / 1.27 - 1) < 0.03)
  t.strictSame([second!.values.length, second!.at], [14, 6])
  t.ok(second!.values[6]! / second!.values[5]! > 1.2)
  await emptyTables(store)
})

t.test('the history follows stored parents, so a branch is not part of it', async t => {
  const server = await startServer(t, { store })
  await pushPlanted(server, { commits: 14, series: 12, changes: [{ series: 3, at: 6, factor: 1.4 }], isLinked: true })
  // The branch left the history at commit 4. Its commits are the newest, and all its series are slower.
  const changed = Array.from({ length: 12 }, (_, series) => ({ series, at: 0, factor: 2 }))
  const branch = { name: 'branch', from: plantedSha(4), firstDay: 14 }
  await pushPlanted(server, { commits: 3, series: 12, changes: changed, branch, isLinked: true })
  const found = await changes(server)
  t.strictSame([found.analysed, found.changes.map(({ commit }) => commit)], [14, [plantedSha(6)]])
  await emptyTables(store)
})

t.test('changes, charts and badges leave out a pull request, also on top of the newest commit', async t => {
  const server = await startServer(t, { store })
  const slug = 'random_access_time.planted'
  const charted = async (line = ''): Promise<readonly string[]> => {
    const { body } = await get(server, `/api/history/${slug}?n=14${line}`)
    return (body as unknown as HistoryAnswer).commits.map(({ sha }) => sha)
  }
  const main = Array.from({ length: 14 }, (_, index) => plantedSha(index))
  await pushPlanted(server, { commits: 14, series: 12, changes: [], isLinked: true })
  const slower = Array.from({ length: 12 }, (_, series) => ({ series, at: 0, factor: 2 }))
  const branch = { name: 'pull', from: plantedSha(13), firstDay: 14, isPullRequest: true }
  await pushPlanted(server, { commits: 3, series: 12, changes: slower, branch, isLinked: true })
  const found = await changes(server)
  t.strictSame([found.analysed, found.changes], [14, []])
  t.strictSame(await charted(), main)
  t.strictSame(await charted('&line=all'), [...main.slice(3), ...[0, 1, 2].map(index => plantedSha(index, 'pull'))])
  t.match((await get(server, `/badge/${slug}.svg`)).text, `at ${plantedSha(13).slice(0, 7)}`)
  t.match((await get(server, '/api/commits?n=1&line=main')).body, { commits: [{ commit_sha: plantedSha(13) }] })
  t.match((await get(server, '/api/commits?n=1')).body, { commits: [{ commit_sha: plantedSha(2, 'pull') }] })
  t.equal((await get(server, `/api/history/${slug}?line=side`)).status, 400)
  await emptyTables(store)
})

t.test('where stored parents end, older commits follow by time', async t => {
  const server = await startServer(t, { store })
  const history = { series: 12, changes: [{ series: 3, at: 6, factor: 1.4 }] }
  await pushPlanted(server, { ...history, commits: 10 })
  await pushPlanted(server, { ...history, commits: 14, first: 10, isLinked: true })
  const found = await changes(server)
  t.strictSame([found.analysed, found.changes.map(({ commit }) => commit)], [14, [plantedSha(6)]])
  await emptyTables(store)
})

t.test('each machine has its own noise, and the command `changes` finds the same', async t => {
  const server = await startServer(t, { store })
  const machines = { triples: ['x86_64-unknown-linux-gnu', 'aarch64-unknown-linux-gnu'], noise: 0.3 }
  await pushPlanted(server, { commits: 20, series: 24, changes: [{ series: 3, at: 8, factor: 1.1 }], machines })
  const found = await changes(server)
  t.match(found.changes, [{ commit: plantedSha(8), key: ['format-3', 'cached'] }])
  t.equal(found.changes.length, 1)
  const session = await store.read(async session => session)
  const reader = databaseReader({ session, description: 'it', close: async () => undefined })
  const gitDir = t.testdir({})
  execFileSync('git', ['init', '--quiet', gitDir])
  const { commits } = await commandChanges({ target: { openReader: async () => reader }, gitDir })
  const expected = commits.flatMap(({ commit, changes }) =>
    changes.map(({ before, after, q }) => ({ commit: commit.sha, old: before, new: after, q })),
  )
  t.match(found.changes, expected)
  t.equal(expected.length, 1)
  await emptyTables(store)
})

t.test('writers are served while a long history is analysed', async t => {
  const server = await startServer(t, { store })
  await fillCrowd(store, { commits: 160, series: 400 })
  let isDone = false
  const analysis = changes(server).finally(() => (isDone = true))
  let pushes = 0
  for (; !isDone; pushes++) t.equal((await post(server, envelope([]))).status, 200)
  const { analysed, series } = await analysis
  t.strictSame([analysed, series], [160, 400])
  t.ok(pushes >= 5, `${pushes} pushes were applied meanwhile`)
  await emptyTables(store)
})
