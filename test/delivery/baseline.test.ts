/** Which commits are compared: by the graph of real git repositories, also shallow ones, with commits in a real database. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { applyDelivery } from '../../src/database/apply.js'
import { openEmbedded } from '../../src/database/embedded/session.js'
import { migrate } from '../../src/database/migrate.js'
import type { SqlSession } from '../../src/database/session.js'
import { withAncestryCache } from '../../src/delivery/ancestry-cache.js'
import { chooseCommits, type ChosenCommits, type CommitChoice } from '../../src/delivery/baseline.js'
import type { CommitReader } from '../../src/delivery/commit-reader.js'
import { databaseReader } from '../../src/delivery/database-reader.js'
import { readFirstParentHistory, type AskHosting } from '../../src/delivery/first-parent-history.js'
import { readAncestry } from '../../src/commit/ancestry.js'
import { hostedAncestry } from '../../src/hosting/ancestry.js'
import { commit, ENV, git, repository } from '../commit/fixtures/repository.js'
import { databaseCopies } from '../database/embedded/fixtures/folders.js'
import { deliveryOf, size } from '../fixtures/delivery.js'
import { startHostingServer } from '../fixtures/hosting-server.js'
import { COMMIT } from '../fixtures/records.js'

const copyDatabase = await databaseCopies()

type World = {
  readonly session: SqlSession
  readonly reader: CommitReader
  /** Stores commits; each is older than the one before it, so that time and history disagree. */
  readonly store: (...shas: readonly string[]) => Promise<void>
}

async function world(t: Test): Promise<World> {
  const session = await openEmbedded(copyDatabase(t), { create: false })
  t.teardown(() => session.close())
  await migrate(session)
  let day = 28
  const store = async (...shas: readonly string[]): Promise<void> => {
    for (const sha of shas) {
      const timestamp = `2026-01-${String(day--).padStart(2, '0')}T00:00:00Z`
      const line = JSON.stringify({ ...(JSON.parse(size('a')) as object), commit_sha: sha })
      await applyDelivery(session, await deliveryOf([line], { ...COMMIT, sha, timestamp, message: sha }))
    }
  }
  return { session, store, reader: databaseReader({ session, description: 'it', close: async () => undefined }) }
}

let made = 0

/** Commits on the current branch. Each has a message of its own, because their times are the same. */
const commits = (dir: string, count: number): readonly string[] =>
  Array.from({ length: count }, () => commit(dir, `commit ${++made}`))

function merge(dir: string, other: string): string {
  git(dir, ['merge', '--quiet', '--no-ff', '-m', `merge ${other}`, other])
  return git(dir, ['rev-parse', 'HEAD'])
}

const choose = (
  { reader }: World,
  dir: string,
  choice: CommitChoice = {},
  { env = ENV, askHosting }: { env?: typeof ENV; askHosting?: AskHosting } = {},
): Promise<ChosenCommits> => chooseCommits(reader, choice, { git: { gitDir: dir, env }, askHosting })

const shasOf = ({ base, head }: ChosenCommits): readonly string[] => [base.sha, head.sha]

t.test('without a name, the newest stored commit of HEAD is compared with its nearest stored ancestor', async t => {
  const dir = t.testdir()
  repository(dir)
  const line = commits(dir, 6)
  git(dir, ['checkout', '--quiet', '-b', 'other', line[1]!])
  const other = commit(dir, 'other')
  git(dir, ['checkout', '--quiet', 'main'])
  const place = await world(t)
  // By time the commit of the other branch is between both, and the ancestor is the newest.
  await place.store(line[1]!, other, line[3]!, line[0]!)
  const chosen = await choose(place, dir)
  t.strictSame(shasOf(chosen), [line[1], line[3]])
  t.strictSame(chosen.history, [line[1], line[0]])
  t.strictSame(chosen.remarks, [])
})

t.test('the parent of a merge is on the branch it was merged into', async t => {
  const dir = t.testdir()
  repository(dir)
  const [onMain] = commits(dir, 1)
  git(dir, ['checkout', '--quiet', '-b', 'topic'])
  const [topic] = commits(dir, 1)
  git(dir, ['checkout', '--quiet', 'main'])
  const [ahead] = commits(dir, 1)
  const merged = merge(dir, 'topic')
  const place = await world(t)
  await place.store(topic!, merged, onMain!)
  t.strictSame(shasOf(await choose(place, dir)), [onMain, merged])
  await place.store(ahead!)
  t.strictSame(shasOf(await choose(place, dir)), [ahead, merged])
})

t.test('a merge base is where the branch last met the main branch', async t => {
  const dir = t.testdir()
  repository(dir)
  const main = commits(dir, 2)
  git(dir, ['checkout', '--quiet', '-b', 'topic'])
  const early = commits(dir, 2)
  git(dir, ['checkout', '--quiet', 'main'])
  const later = commits(dir, 2)
  git(dir, ['checkout', '--quiet', 'topic'])
  merge(dir, 'main')
  const [head] = commits(dir, 1)
  git(dir, ['checkout', '--quiet', 'main'])
  const unmerged = commits(dir, 1)
  git(dir, ['checkout', '--quiet', 'topic'])
  const place = await world(t)
  await place.store(...main, ...early, ...later, ...unmerged, head!)

  t.strictSame(shasOf(await choose(place, dir)), [early[1], head], 'the parent is the commit before on the same branch')
  t.strictSame(shasOf(await choose(place, dir, { baseline: 'merge-base' })), [later[1], head])
  t.strictSame(shasOf(await choose(place, dir, { baseline: 'latest' })), [unmerged[0], head])
  t.strictSame(shasOf(await choose(place, dir, { baseline: early[0]!.slice(0, 8) })), [early[0], head])
  t.strictSame(shasOf(await choose(place, dir, { base: 'topic~2', head: 'main' })), [early[1], unmerged[0]])
  const onMain = await choose(place, dir, { baseline: 'merge-base', head: 'main~1' })
  t.strictSame(shasOf(onMain), [later[0], later[1]], 'a commit of the main branch is compared with the one before it')
})

t.test('of several merge bases the one of the main branch is taken', async t => {
  const dir = t.testdir()
  repository(dir)
  git(dir, ['checkout', '--quiet', '-b', 'topic'])
  const [onTopic] = commits(dir, 1)
  git(dir, ['checkout', '--quiet', 'main'])
  const [onMain] = commits(dir, 1)
  // Each is merged into the other's branch, so both are merge bases.
  merge(dir, onTopic!)
  git(dir, ['checkout', '--quiet', 'topic'])
  merge(dir, onMain!)
  const [head] = commits(dir, 1)
  t.strictSame(git(dir, ['merge-base', '--all', 'topic', 'main']).split('\n').sort(), [onTopic, onMain].sort())
  const place = await world(t)
  await place.store(onTopic!, onMain!, head!)
  t.strictSame(shasOf(await choose(place, dir, { baseline: 'merge-base' })), [onMain, head])
})

t.test('the target branch of a pull request comes before the main branch', async t => {
  const [dir, clone] = [join(t.testdir(), 'origin'), join(t.testdirName, 'clone')]
  repository(dir)
  git(dir, ['checkout', '--quiet', '-b', 'release'])
  const [release] = commits(dir, 1)
  git(dir, ['checkout', '--quiet', '-b', 'topic'])
  const [head] = commits(dir, 1)
  git(dir, ['clone', '--quiet', `file://${dir}`, clone])
  const place = await world(t)
  await place.store(head!, git(dir, ['rev-parse', 'main']), release!)
  const env = { ...ENV, GITHUB_BASE_REF: 'release' }
  t.strictSame(shasOf(await choose(place, clone, { baseline: 'merge-base' }, { env })), [release, head])
})

t.test('a pull request is judged by its own commits, never by those before it', async t => {
  const dir = t.testdir()
  repository(dir)
  const main = commits(dir, 3)
  git(dir, ['checkout', '--quiet', '-b', 'topic'])
  const [first, head] = commits(dir, 2)
  const place = await world(t)
  await place.store(main[2]!, main[1]!)
  const judge = { pullHead: head, baseline: 'merge-base' }
  t.strictSame(
    shasOf(await choose(place, dir)),
    [main[1], main[2]],
    'outside of a pull request the newest ancestor counts',
  )
  const missing = { code: 'commit_unknown', message: `no commit of the pull request with the head ${head} is stored` }
  await t.rejects(choose(place, dir, judge), missing)
  await t.rejects(choose(place, dir, { pullHead: 'f'.repeat(40) }), { code: 'commit_unknown' }, 'an unknown head')
  t.strictSame(shasOf(await choose(place, dir, { ...judge, head: main[2]! })), [main[1], main[2]], 'a head by name')
  await place.store(first!)
  const earlier = await choose(place, dir, judge)
  t.strictSame(shasOf(earlier), [main[2], first])
  t.match(earlier.remarks, [/^the head of the pull request, [0-9a-f]{7}, is not stored: an earlier commit is judged$/])
  await place.store(head!)
  const own = await choose(place, dir, judge)
  t.strictSame([shasOf(own), own.remarks], [[main[2], head], []])
})

t.test('a shallow clone', async t => {
  const dir = join(t.testdir(), 'origin')
  const clone = join(t.testdirName, 'clone')
  repository(dir)
  git(dir, ['remote', 'add', 'origin', 'https://github.com/owner/repo'])
  const line = commits(dir, 5)
  const [older, , , parent, head] = line
  git(dir, ['clone', '--quiet', '--depth', '1', `file://${dir}`, clone])
  t.equal(git(clone, ['rev-list', '--count', 'HEAD']), '1')

  await t.test('knows the parent of its last commit', async t => {
    const place = await world(t)
    await place.store(older!, parent!, head!)
    const chosen = await choose(place, clone)
    t.strictSame(shasOf(chosen), [parent, head])
  })

  await t.test('asks the hosting service, once', async t => {
    const server = await startHostingServer(t, { repository: dir })
    const env = { ...ENV, ...server.github }
    const ask: AskHosting = (sha, limit) =>
      hostedAncestry(sha, { env, signal: new AbortController().signal, random: () => 0, limit })
    const askHosting = withAncestryCache(ask, { gitDir: clone, env })
    const place = await world(t)
    await place.store(older!, 'f'.repeat(40), head!)
    const chosen = await choose(place, clone, {}, { env, askHosting })
    t.strictSame(shasOf(chosen), [older, head])
    t.match(chosen.remarks, [/^the clone is shallow .* read from the hosting service$/])
    const { length } = server.asked
    t.ok(length > 0 && existsSync(join(clone, '.git/vortex-ingest')))
    t.strictSame(
      (await readFirstParentHistory(parent!, place.reader, { git: { gitDir: clone, env }, askHosting })).shas,
      [...line.slice(0, 4).toReversed(), git(dir, ['rev-list', '--max-parents=0', 'HEAD'])],
    )
    t.equal(server.asked.length, length, 'the history of an earlier commit is part of the answer')

    const uncached = await choose(place, clone, {}, { env, askHosting: ask })
    t.strictSame(shasOf(uncached), [older, head])
    t.equal(server.asked.length, length + 1, 'the history of the base is part of that of the head')
    await choose(place, clone, { base: older!, head: head! }, { env, askHosting: ask })
    t.equal(server.asked.length, length + 1, 'commits that are named cost no request')
  })

  await t.test('is said to be one, with what to fetch, where nobody knows its history', async t => {
    const place = await world(t)
    await place.store(head!, older!)
    const askHosting: AskHosting = async () => Promise.reject(new Error('no route'))
    const chosen = await choose(place, clone, {}, { askHosting })
    t.strictSame(shasOf(chosen), [older, head])
    const remark = /shallow.*ordered by their time \(.*no route\); run `git fetch --unshallow`.*`fetch-depth: 0`$/
    t.match(chosen.remarks, [remark])
    await t.rejects(choose(place, clone, { baseline: 'merge-base', head: older! }), { code: 'commit_unknown' })
  })
})

t.test('without a repository', async t => {
  const dir = t.testdir()
  const place = await world(t)
  await t.rejects(choose(place, dir), { code: 'commit_unknown', message: 'no commit is stored' })
  const [newest, older] = ['a'.repeat(40), 'b'.repeat(40)]
  await place.store(newest)
  await t.rejects(choose(place, dir), {
    code: 'commit_unknown',
    message: /^no ancestor of a{40} is stored/,
  })
  await place.store(older)
  const chosen = await choose(place, dir)
  t.strictSame(shasOf(chosen), [older, newest])
  t.match(chosen.remarks, [/^git does not know aaaaaaa here, so commits are ordered by their time; run the command in/])
  await t.rejects(choose(place, dir, { base: newest, head: newest }), { code: 'usage' })
  await t.rejects(choose(place, dir, { baseline: 'latest' }), {
    ...{ code: 'commit_unknown', hint: /git fetch origin main/ },
  })
})

t.test('a repository of another user is named as the reason, with the command that trusts it', async t => {
  const dir = t.testdir()
  repository(dir)
  const place = await world(t)
  await place.store('a'.repeat(40), 'b'.repeat(40))
  const { remarks } = await choose(place, dir, {}, { env: { ...ENV, GIT_TEST_ASSUME_DIFFERENT_OWNER: '1' } })
  t.match(remarks, [
    /^git refuses .*dubious ownership\) \(if you trust it, run: git config .*\), so commits are ordered/,
  ])
})

t.test('the ancestors that are stored with a commit', async t => {
  const dir = join(t.testdir(), 'origin')
  const first = repository(dir)
  git(dir, ['checkout', '--quiet', '-b', 'topic'])
  const [topic] = commits(dir, 1)
  git(dir, ['checkout', '--quiet', 'main'])
  const [second] = commits(dir, 1)
  const merged = merge(dir, 'topic')
  const read = (gitDir: string, revision = 'HEAD') => readAncestry(revision, { gitDir, env: ENV })
  t.strictSame(await read(dir), { parents: [second, topic], firstParents: [second, first], isComplete: true })
  t.strictSame(await read(dir, first), { parents: [], firstParents: [], isComplete: true })
  t.equal(await read(dir, 'f'.repeat(40)), undefined)
  t.equal(await read(t.testdirName), undefined)
  const clone = join(t.testdirName, 'clone')
  git(dir, ['clone', '--quiet', '--depth', '1', `file://${dir}`, clone])
  t.strictSame(await read(clone, merged), { parents: [second, topic], firstParents: [second], isComplete: false })
  commits(dir, 40)
  const { firstParents, isComplete } = (await read(dir))!
  t.strictSame([firstParents.length, isComplete], [32, false])
})
