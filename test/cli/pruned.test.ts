/** A target that comes after `state prune` is told what the state cannot give it any more. */

import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { applied, recordsOf, startAnswering } from '../fixtures/http-server.js'
import { jsonl, manyQueries } from '../fixtures/records.js'
import { push } from './fixtures/pushing.js'
import { schemaErrors } from './fixtures/schema.js'
import { onState, STATE, statusOf } from './fixtures/state.js'

const PRUNED = /4 records of 1 commit were pruned before \S+ got them: push their files again with --full-refresh/

t.test('targets add, status, drain and push tell it, until the files are pushed again', async t => {
  const lines = manyQueries(5)
  const cwd = t.testdir({ 'f.jsonl': jsonl(lines.slice(0, 4)) })
  const [first, late] = [await startAnswering(t, applied), await startAnswering(t, applied)]
  t.equal((await push(cwd, ['f.jsonl', '--server', first.url, ...STATE])).code, 0)
  t.equal((await onState(cwd, ['state', 'prune'])).code, 0)

  const add = ['targets', 'add', 'late', 'server', late.url, '--secret-env', 'INGEST_BEARER_TOKEN']
  t.match(await onState(cwd, add), { code: 0, stderr: PRUNED })
  t.equal((await onState(cwd, ['targets', 'rm', 'late'])).code, 0)
  const again = await onState(cwd, [...add, '--format', 'json'])
  t.strictSame(schemaErrors('targets-add-report', again.stdout), [])
  t.match(JSON.parse(again.stdout), { pruned_records: 4, pruned_commits: 1 })

  const isTold = async (records: number): Promise<void> => {
    const { stdout, stderr } = await onState(cwd, ['status'])
    const json = await onState(cwd, ['status', '--format', 'json'])
    t.strictSame(schemaErrors('status-report', json.stdout), [])
    const lag = (await statusOf(cwd)).targets.find(({ target }) => target === late.url)?.lag
    t.match(lag, { pruned_records: records, pruned_commits: records === 0 ? 0 : 1 })
    t.match(stdout, `${late.url}: has ${records === 0 ? 'everything' : 'what is left in the state'}`)
    if (records > 0) t.match(stderr, PRUNED)
  }
  await isTold(4)
  t.match(await onState(cwd, ['drain']), { code: 0, stderr: PRUNED })
  await isTold(4)

  appendFileSync(join(cwd, 'f.jsonl'), jsonl(lines.slice(4)))
  t.match(await push(cwd, ['f.jsonl', ...STATE]), { code: 0, stderr: PRUNED })
  t.strictSame(
    late.asked.map(asked => recordsOf(asked).length),
    [1],
  )
  const before = late.asked.length
  const refreshed = await push(cwd, ['f.jsonl', '--full-refresh', ...STATE])
  t.equal(refreshed.code, 0)
  t.notMatch(refreshed.stderr, /pruned/)
  const sent = late.asked.slice(before).flatMap(recordsOf)
  t.equal(sent.length, 6, 'the one that was left, and the whole file')
  await isTold(0)
  t.notMatch((await onState(cwd, ['drain'])).stderr, /pruned/)
})

t.test('a full refresh of one of two files does not make a target complete', async t => {
  const [one, two] = [manyQueries(1), manyQueries(3).slice(1)]
  const cwd = t.testdir({ 'one.jsonl': jsonl(one), 'two.jsonl': jsonl(two) })
  const [first, late] = [await startAnswering(t, applied), await startAnswering(t, applied)]
  t.equal((await push(cwd, ['one.jsonl', 'two.jsonl', '--server', first.url, ...STATE])).code, 0)
  t.equal((await onState(cwd, ['state', 'prune'])).code, 0)
  const prunedOf = async (url: string): Promise<unknown> =>
    (await statusOf(cwd)).targets.find(({ target }) => target === url)?.lag?.pruned_records

  const refreshed = await push(cwd, ['one.jsonl', '--full-refresh', '--server', late.url, ...STATE])
  t.match(refreshed, { code: 0, stderr: /3 records of 1 commit were pruned before/ })
  t.equal(await prunedOf(late.url), 3)
  t.equal((await push(cwd, ['one.jsonl', '--full-refresh', '--server', first.url, ...STATE])).code, 0)
  t.equal(await prunedOf(first.url), 0, 'it had all records before')

  const both = await push(cwd, ['two.jsonl', '--full-refresh', '--server', late.url, ...STATE])
  t.equal(both.code, 0)
  t.notMatch(both.stderr, /pruned/)
  t.equal(await prunedOf(late.url), 0)
})
