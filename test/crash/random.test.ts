/**
 * Episodes at random: files grow, are cut off and written anew; pushes, drains and recovers fail, are killed at steps and at
 * moments, run two at once, reach one target and not the other, while the server is killed and started again. After each
 * episode comes a plain push, and every target must hold what a plain model says: each record once, with its last value.
 */

import { rmSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { stop } from '../cli/fixtures/serve.js'
import { Random } from '../fixtures/random.js'
import { EPISODES } from './fixtures/extent.js'
import { Lane } from './fixtures/lane.js'
import { CRASH_SEED } from './fixtures/seed.js'
import { ARCHIVE, serverTarget, startDatabases, type CrashTarget } from './fixtures/targets.js'

const LANES = 4
/** Between two deaths of the server, and how long it is dead. */
const SERVER_LIFE_MS = 8_000
const SERVER_DEATH_MS = 300
const READS = 50

t.setTimeout(900_000)
const { postgres, serve } = await startDatabases(t)
const server = { running: await serve(0), isOver: false }
const { url, port } = server.running

async function killNowAndThen(): Promise<number> {
  for (let deaths = 0; ; deaths++) {
    for (let waited = 0; waited < SERVER_LIFE_MS && !server.isOver; waited += 100) await setTimeout(100)
    if (server.isOver) return deaths
    await stop(server.running, 'SIGKILL')
    await setTimeout(SERVER_DEATH_MS)
    server.running = await serve(port)
  }
}

/** Reads what may be dead at the moment. */
function patient(target: CrashTarget): CrashTarget {
  return {
    ...target,
    read: async (sha, cwd) => {
      for (let tries = 1; ; tries++) {
        try {
          return await target.read(sha, cwd)
        } catch (error) {
          if (tries === READS) throw error
          await setTimeout(200)
        }
      }
    },
  }
}

/** Commands that clean up a state. */
const MAINTENANCE = [
  ['state', 'prune'],
  ['state', 'compact'],
]

t.test(`${EPISODES} episodes; VORTEX_INGEST_TEST_SEED=${CRASH_SEED} repeats them`, async t => {
  const options = { targets: [patient(serverTarget(url)), postgres, ARCHIVE], maintenance: MAINTENANCE }
  const deaths = killNowAndThen()
  const lanes = Array.from(
    { length: LANES },
    (_, index) => new Lane({ ...options, name: `lane ${index}`, random: new Random(CRASH_SEED + index) }),
  )
  await Promise.all(
    lanes.map(async (lane, index) => {
      t.strictSame(await lane.begin(), [], `lane ${index}`)
      for (let episode = index; episode < EPISODES; episode += LANES) {
        const problems = await lane.episode()
        t.strictSame(problems, [], `episode ${episode}${problems.length === 0 ? '' : `: ${lane.story.join('; ')}`}`)
        // Later episodes would fail for the same reason.
        if (problems.length > 0) return
      }
      t.strictSame(await lane.end(), [], `${LANES} lanes, number ${index}, at its end`)
      rmSync(lane.cwd, { recursive: true, force: true })
    }),
  )
  server.isOver = true
  t.comment(
    `the server was killed ${await deaths} times; tidied up with: ${options.maintenance.join(', ') || 'nothing'}`,
  )
})
