/** `migrate --repair-timestamps`: interrupted, on the embedded database, and beside other flags. */

import t from 'tap'
import { runCli, startCli, untilDone } from '../fixtures/cli.js'
import { holding, startMigratedPostgres } from './fixtures/database.js'
import { COMMIT, jsonl, query, SHA, writeCommit } from '../fixtures/records.js'
import { waitUntil } from '../fixtures/wait-until.js'

const { createDatabase } = await startMigratedPostgres(t)

const ROWS = `
  INSERT INTO commits (commit_sha, timestamp, tree_sha, url) VALUES ('${SHA}', '2026-04-25Z', 't', 'u');
  INSERT INTO query_measurements (measurement_id, commit_sha, dataset, query_idx, storage, engine, format, value_ns,
    all_runtimes_ns)
  SELECT id, '${SHA}', 'tpch', id, 's3', 'e', 'f', 1, '{}' FROM generate_series(1, 50000) AS id`

t.test('Ctrl-C keeps the batches that were repaired, and the next run does the rest', async t => {
  const database = await createDatabase()
  await database.sql(ROWS)
  const repaired = async (): Promise<number> => {
    const [row] = await database.sql('SELECT count(commit_timestamp)::int AS rows FROM query_measurements')
    return Number(row?.['rows'])
  }
  const release = holding(database, 'BEGIN; SELECT FROM query_measurements WHERE measurement_id = 50000 FOR UPDATE')
  const repair = ['migrate', '--repair-timestamps', database.url]
  const cli = startCli(repair)
  await untilDone(cli, async () => (await repaired()) === 40_000)
  cli.child.kill('SIGINT')
  const { code, stderr } = await cli.result
  t.equal(code, 130)
  t.equal(
    stderr,
    'error: interrupted: 40,000 timestamps repaired, 40,000 rows examined\n' +
      'hint: repaired rows stay repaired; run the same command again for the rest\n',
  )
  // The server notices after a moment that the connection is gone.
  const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
  await waitUntil(async () => (await database.sql(waiting)).length === 0)
  await release()
  const again = await runCli(repair)
  t.equal(again.code, 0, again.stderr)
  // The server may have committed the batch that it was waiting with.
  t.match(again.stdout, /(repaired 10,000 timestamps|nothing to repair), 50,000 rows examined\n/)
  t.equal(await repaired(), 50_000)
})

t.test('the embedded database is repaired too, and none is made for it', async t => {
  const cwd = t.testdir({ 'results.jsonl': jsonl([query()]) })
  const none = await runCli(['migrate', '--repair-timestamps'], { cwd })
  t.equal(none.code, 78, none.stdout + none.stderr)
  await runCli(['push', 'results.jsonl', '--commit', writeCommit(cwd, COMMIT)], { cwd })
  const { code, stdout } = await runCli(['migrate', '--repair-timestamps'], { cwd })
  t.equal(code, 0)
  t.match(stdout, /^repaired: the embedded database in \.vortex-ingest: nothing to repair, 1 row examined\n/)
})

t.test('--check and --repair-timestamps exclude each other', async t => {
  const { code, stderr } = await runCli(['migrate', '--check', '--repair-timestamps'])
  t.equal(code, 2)
  t.match(stderr, /--repair-timestamps/)
})
