/** Many processes of the program at once, as CI starts them: all of one commit, with half of the ids in common. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runCli, startCli, untilDone, type CliResult } from '../fixtures/cli.js'
import { startTcpProxy } from '../fixtures/tcp-proxy.js'
import { startMigratedPostgres, type Database, type Row } from './fixtures/database.js'
import { COMMIT, manyQueries, query, SHA, writeCommit, writeLines } from '../fixtures/records.js'

const WRITERS = 14
const RECORDS = 2_000
const SHARED = RECORDS / 2
const DISTINCT = SHARED + WRITERS * (RECORDS - SHARED)
/** In the middle of 20,000 records. */
const HELD_BYTES = 500_000
const BUSY = { timeoutMs: 120_000 }

const { server, createDatabase } = await startMigratedPostgres(t)

type Report = {
  readonly inserted: number
  readonly updated: number
  readonly targets: readonly [{ readonly retries: readonly { readonly error: string; readonly waited_ms: number }[] }]
}
const reportOf = ({ stdout }: CliResult): Report => JSON.parse(stdout) as Report

/** Every value of a writer's rows is the writer's number, so that a row says whose it is. */
function linesOf(writer: number): string[] {
  return Array.from({ length: RECORDS }, (_, index) =>
    query({
      query_idx: index < SHARED ? index : index + writer * RECORDS,
      ...{ value_ns: writer, all_runtimes_ns: [writer, writer] },
    }),
  )
}

function writeCommitOf(dir: string, writer: number): string {
  const path = join(dir, `commit-${writer}.json`)
  writeFileSync(path, JSON.stringify({ ...COMMIT, message: String(writer), author_name: `author ${writer}` }))
  return path
}

/** @param split what of a writer's lines goes into which of its files */
async function pushAll(
  dir: string,
  database: Database,
  split: (lines: readonly string[]) => readonly (readonly string[])[],
): Promise<CliResult[]> {
  const writers = Array.from({ length: WRITERS }, (_, index) => index + 1)
  const commands = writers.map(writer => {
    const files = split(linesOf(writer)).map((lines, part) => writeLines(dir, `w${writer}-${part}.jsonl`, lines))
    return ['push', ...files, '--commit', writeCommitOf(dir, writer), '--postgres', database.url, '--format', 'json']
  })
  return Promise.all(commands.map(command => runCli(command, BUSY)))
}

type Stored = {
  readonly commit: Readonly<Record<string, unknown>> | undefined
  /** Whose value the rows have that all writers share. */
  readonly sharedOf: readonly unknown[]
  /** Rows that are of nobody, of somebody else, or of two writers. */
  readonly strange: readonly unknown[]
}

async function storedIn({ sql }: Database): Promise<Stored> {
  const commits = await sql('SELECT message, author_name FROM commits')
  if (commits.length !== 1) throw new Error(`${commits.length} commit rows`)
  const shared = await sql(
    `SELECT DISTINCT value_ns::text AS writer FROM query_measurements WHERE query_idx < ${SHARED}`,
  )
  const strange = await sql(`
    SELECT query_idx, value_ns, all_runtimes_ns FROM query_measurements
    WHERE all_runtimes_ns <> ARRAY[value_ns, value_ns] OR value_ns NOT BETWEEN 1 AND ${WRITERS}
      OR query_idx >= ${SHARED} AND value_ns <> query_idx / ${RECORDS}`)
  return { commit: commits[0], sharedOf: shared.map(({ writer }) => writer), strange }
}

function sumOf(results: readonly CliResult[], key: 'inserted' | 'updated'): number {
  return results.map(reportOf).reduce((all, report) => all + report[key], 0)
}

t.test('fourteen processes at once: all succeed, each id is inserted once, no update is lost', async t => {
  const database = await createDatabase()
  const results = await pushAll(t.testdir({}), database, lines => [lines])

  for (const { code, stderr } of results) {
    t.equal(code, 0)
    t.match(
      stderr,
      /^(warning: .* left out, because .* holds newer values .*\n)?$/,
      'a push that waited for a newer one says so',
    )
  }
  t.equal(sumOf(results, 'inserted'), DISTINCT)
  t.equal(sumOf(results, 'inserted') + sumOf(results, 'updated'), WRITERS * RECORDS)
  t.equal(await database.countRows(), DISTINCT)
  const { commit, sharedOf, strange } = await storedIn(database)
  t.strictSame(strange, [])
  t.equal(commit?.author_name, `author ${String(commit?.message)}`, 'the commit row is all of one writer')
  t.strictSame(sharedOf, [commit?.message], 'whoever wrote it last also wrote all of the shared rows last')
})

t.test('the same with two files a process, each with a part of the shared ids', async t => {
  const database = await createDatabase()
  const results = await pushAll(t.testdir({}), database, lines => [
    lines.filter((_, index) => index % 2 === 0),
    lines.filter((_, index) => index % 2 === 1),
  ])

  for (const { code, stderr } of results) {
    t.equal(code, 0)
    t.match(
      stderr,
      /^(warning: .* left out, because .* holds newer values .*\n)?$/,
      'a push that waited for a newer one says so',
    )
  }
  t.equal(sumOf(results, 'inserted'), DISTINCT)
  t.equal(await database.countRows(), DISTINCT)
  const { strange, sharedOf } = await storedIn(database)
  t.strictSame(strange, [])
  t.ok(sharedOf.length <= 2, 'the shared rows of each file are those of one writer')
})

t.test('while a push is staging, the commit is free for everybody else', async t => {
  const cwd = t.testdir({})
  const database = await createDatabase()
  const proxy = await startTcpProxy(t, { port: server.port })
  const push = (file: string, url: string): string[] => ['push', file, '--commit', writeCommit(cwd), '--postgres', url]
  t.equal((await runCli(push(writeLines(cwd, 'one.jsonl', [query()]), database.url))).code, 0)
  const copies = (): Promise<readonly Row[]> =>
    database.sql(
      `SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query ~ '^COPY' AND datname = '${database.name}'`,
    )

  const slow = database.url.replace(`:${server.port}/`, `:${proxy.port}/`)
  const large = push(writeLines(cwd, 'large.jsonl', manyQueries(20_000)), slow)
  const release = proxy.hold(HELD_BYTES)
  const cli = startCli([...large, '--format', 'json'])
  await untilDone(cli, () => proxy.forwarded.up >= HELD_BYTES)
  const first = await copies()
  t.equal(first.length, 1)

  await database.sql(`SET lock_timeout = '1s'; UPDATE commits SET message = 'touched' WHERE commit_sha = '${SHA}'`)
  const other = push(writeLines(cwd, 'other.jsonl', manyQueries(3_000)), database.url)
  t.equal((await runCli(other)).code, 0)
  t.strictSame(await copies(), first, 'the first is still at it')

  release()
  const result = await cli.result
  t.equal(result.code, 0, result.stderr)
  t.match(reportOf(result), { inserted: 17_000, targets: [{ retries: [] }] })
})

t.test('writers that lose a conflict try again after waits that differ, and say so', async t => {
  const cwd = t.testdir({})
  const database = await createDatabase()
  await database.sql(`
    CREATE SEQUENCE tries; GRANT USAGE ON SEQUENCE tries TO bench_ingest;
    CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF nextval('tries') <= 4 THEN RAISE EXCEPTION 'somebody was quicker' USING ERRCODE = '40001'; END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER lose BEFORE INSERT ON query_measurements FOR EACH ROW EXECUTE FUNCTION lose()`)
  const push = ['push', writeLines(cwd, 'f.jsonl', [query()]), '--commit', writeCommit(cwd), '--postgres', database.url]
  const result = await runCli([...push, '--format', 'json'])
  t.equal(result.code, 0, result.stderr)
  const { inserted, targets } = reportOf(result)
  t.equal(inserted, 1)
  t.equal(targets[0].retries.length, 4)
  for (const { error } of targets[0].retries) t.match(error, /somebody was quicker/)
  t.ok(new Set(targets[0].retries.map(({ waited_ms }) => waited_ms)).size > 1)
})

t.test('a conflict that never ends is given up: after ten tries, or when the time for it is spent', async t => {
  const cwd = t.testdir({})
  const database = await createDatabase()
  await database.sql(`
    CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      RAISE EXCEPTION 'somebody was quicker' USING ERRCODE = '40001';
    END $$;
    CREATE TRIGGER lose BEFORE INSERT ON query_measurements FOR EACH ROW EXECUTE FUNCTION lose()`)
  const push = ['push', writeLines(cwd, 'f.jsonl', [query()]), '--commit', writeCommit(cwd), '--postgres', database.url]
  const [patient, hasty] = await Promise.all([
    runCli([...push, '--format', 'json']),
    runCli([...push, '--format', 'json', '--retry-deadline', '0.05']),
  ])
  t.strictSame([patient.code, hasty.code], [69, 69])
  t.equal(reportOf(patient).targets[0].retries.length, 9)
  t.ok(reportOf(hasty).targets[0].retries.length < 6, 'waits of 0.05 s in all')
  t.strictSame(await database.sql('SELECT FROM commits'), [])
})
