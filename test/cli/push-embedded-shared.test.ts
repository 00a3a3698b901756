/** Pushes of several containers into one embedded database, and into a database with damaged files. */
import { cpSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runCli, startCli, untilDone, type Cli } from '../fixtures/cli.js'
import { databaseCopies } from '../database/embedded/fixtures/folders.js'
import { NAMESPACES } from '../database/embedded/fixtures/namespaces.js'
import { manyQueries, query, writeCommit, writeLines, size } from '../fixtures/records.js'
import { countEmbeddedRows, queryEmbedded } from './fixtures/database.js'

const copyDatabase = await databaseCopies()
const { command: under, skip } = NAMESPACES.network
const ROUNDS = process.env['VORTEX_INGEST_TEST_ALL'] === undefined ? 5 : 60

/** Starts a push of the records with these values of query_idx, in a network namespace of its own. */
function startPush(cwd: string, folder: string, ...indexes: readonly number[]): Cli {
  const lines = indexes.map(index => query({ query_idx: index }))
  const file = writeLines(cwd, `${indexes.join('-')}.jsonl`, lines)
  return startCli(['push', file, '--commit', writeCommit(cwd), '--embedded', folder], { cwd, under })
}

/** Waits until the push has locked the folder. */
function untilLocked(push: Cli, folder: string): Promise<void> {
  const isNamed = () => readFileSync(join(folder, 'db.lock'), 'utf8').startsWith(`process ${push.pid} `)
  return untilDone(push, () => {
    try {
      return isNamed()
    } catch {
      return false
    }
  })
}

t.test(
  'of two pushes in two network namespaces, started after a killed one, every acknowledged row is stored',
  { skip },
  async t => {
    const [cwd, folder] = [t.testdir({}), copyDatabase(t)]
    const acknowledged: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const [first, ...others] = [3 * round, 3 * round + 1, 3 * round + 2]
      const killed = startPush(cwd, folder, first ?? 0)
      await untilLocked(killed, folder)
      killed.child.kill('SIGKILL')
      await killed.result

      const results = await Promise.all(others.map(index => startPush(cwd, folder, index).result))
      const codes = results.map(({ code }) => code)
      t.ok(codes.includes(0), results.map(({ stderr }) => stderr).join())
      t.ok(
        codes.every(code => code === 0 || code === 69),
        `exit codes ${codes.join()}`,
      )
      acknowledged.push(...others.filter((_, at) => codes[at] === 0))
    }
    const [rows = []] = await queryEmbedded(folder, 'SELECT query_idx FROM query_measurements')
    const stored = new Set(rows.map(row => Number(row['query_idx'])))
    t.strictSame(
      acknowledged.filter(index => !stored.has(index)),
      [],
    )
    const all = Array.from({ length: 3 * ROUNDS }, (_, index) => index)
    const last = await startPush(cwd, folder, ...all).result
    t.equal(last.code, 0, last.stderr)
    t.equal(await countEmbeddedRows(folder), all.length)
  },
)

t.test('a push that is stopped keeps the database, and completes when it continues', { skip }, async t => {
  const [cwd, folder] = [t.testdir({}), copyDatabase(t)]
  const stopped = startPush(cwd, folder, 1)
  await untilLocked(stopped, folder)
  stopped.child.kill('SIGSTOP')
  const other = await startPush(cwd, folder, 2).result
  t.equal(other.code, 69)
  t.match(other.stderr, `is in use by process ${stopped.pid} (since `)

  stopped.child.kill('SIGCONT')
  t.equal((await stopped.result).code, 0)
  t.equal((await startPush(cwd, folder, 2).result).code, 0)
  t.equal(await countEmbeddedRows(folder), 2)
})

t.test('a push into files that contradict each other ends with one line, and does not wait forever', async t => {
  const [cwd, older, folder] = [t.testdir({}), copyDatabase(t), copyDatabase(t)]
  const to = ['--commit', writeCommit(cwd), '--embedded', folder]
  const push = ['push', writeLines(cwd, 'results.jsonl', manyQueries(100)), ...to]
  // This push takes the number that the transaction of the last push will get.
  t.equal((await runCli(['push', writeLines(cwd, 'earlier.jsonl', [size({ dataset: 'earlier' })]), ...to])).code, 0)
  t.equal((await runCli(push)).code, 0)
  // Rows of transactions that the older control files have not started yet.
  for (const path of ['global/pg_control', 'pg_wal', 'pg_xact']) {
    rmSync(join(folder, 'db', path), { recursive: true })
    cpSync(join(older, 'db', path), join(folder, 'db', path), { recursive: true })
  }
  const { code, stdout, stderr } = await runCli(push)
  t.strictSame([code, stdout], [78, ''])
  t.equal(
    stderr,
    `error: the embedded database in ${folder}/db is damaged: a statement waits for a transaction that never ends\n` +
      'hint: move it away, then push again to create a new one\n',
  )
})
