/**
 * Episodes at random in one process: requests that arrive late or twice, states that are copied and drained later, databases
 * that are restored from a backup, CI attempts in any order, clocks that differ, and forced pushes.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { migrate } from '../../src/database/migrate.js'
import { connectPostgres } from '../../src/database/postgres/connect.js'
import { parseDsn } from '../../src/database/postgres/dsn.js'
import { startPostgres } from '../fixtures/postgres.js'
import { Random, SEED } from '../fixtures/random.js'
import { scratchParent } from '../fixtures/scratch.js'
import { EMBEDDED_EPISODES, LATE_EPISODES } from './fixtures/extent.js'
import { LateEpisode } from './fixtures/late-episode.js'
import { embeddedPlace, postgresPlace, serverPlace, type LatePlace } from './fixtures/late-place.js'

t.setTimeout(20_000_000)
const cwd = mkdtempSync(join(scratchParent(), 'vortex-ingest-late-'))
t.teardown(() => rmSync(cwd, { recursive: true, force: true }))
const server = await startPostgres(t)
const template = 'migrated'
const session = await connectPostgres(parseDsn(await server.createDatabase(template), { insecureLocal: true }))
await migrate(session)
await session.close()

/** Episodes of one place run one after the other, because a restore replaces the whole database. */
async function runEpisodes(t: Test, place: LatePlace, seeds: readonly number[]): Promise<void> {
  for (const seed of seeds) {
    const name = `${place.kind} ${seed}`
    const episode = new LateEpisode({ random: new Random(seed), place, cwd, name })
    const problems = await episode.run().catch((error: unknown) => [(error as Error).stack])
    const steps = problems.length === 0 ? '' : `: ${episode.story.join('; ')}`
    t.strictSame(problems, [], `TEST_SEED=${seed} repeats this episode of ${place.kind} as the first${steps}`)
    rmSync(join(cwd, name), { recursive: true, force: true })
  }
}

t.test(
  `${LATE_EPISODES} episodes leave the value of the newest generation; TEST_SEED=${SEED} repeats them`,
  async t => {
    const places: readonly LatePlace[] = [
      await postgresPlace(t, server, 'late_b1', template),
      await serverPlace(t, server, 'late_a1', template),
      await postgresPlace(t, server, 'late_b2', template),
      await serverPlace(t, server, 'late_a2', template),
    ]
    const seeds = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => SEED + index)
    // Each seed is run once on Postgres and once on a server.
    const all = seeds(LATE_EPISODES / 2).flatMap(seed => [seed, seed])
    const seedsOf = (place: number): readonly number[] => all.filter((_, index) => index % places.length === place)
    await Promise.all([
      ...places.map((place, index) => runEpisodes(t, place, seedsOf(index))),
      runEpisodes(t, embeddedPlace(join(cwd, 'embedded')), seeds(EMBEDDED_EPISODES)),
    ])
  },
)
