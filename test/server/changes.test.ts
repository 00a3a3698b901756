/** Tests the change points that the server finds in what it stores. */

import t from 'tap'
import type { ChangesAnswer } from '../../src/server/read/answers.js'
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
