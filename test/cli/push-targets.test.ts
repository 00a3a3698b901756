/** The report of a push about each of its targets: its duration, and the records of each kind. */

import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { applied, startHttpServer } from '../fixtures/http-server.js'
import { push, pushReported, TOKEN } from './fixtures/pushing.js'
import { jsonl, manyQueries, query, size } from '../fixtures/records.js'
import { onState, STATE } from './fixtures/state.js'

const SLOW_MS = 1500

t.test('of several targets each has a time of its own', async t => {
  const cwd = t.testdir({ 'f.jsonl': query() })
  const slow = await startHttpServer(t, {
    answer:
      () =>
      (...to) =>
        pause(SLOW_MS).then(() => applied(...to)),
  })
  const fast = await startHttpServer(t, { answer: () => applied })
  for (const [name, { url }] of [
    ['fast', fast],
    ['slow', slow],
  ] as const)
    t.equal((await onState(cwd, ['targets', 'add', name, 'server', url])).code, 0)
  const { stdout, report } = await pushReported(cwd, ['f.jsonl', ...STATE])
  const [first, second] = report.targets
  t.ok(first!.duration_ms < SLOW_MS, stdout)
  t.ok(second!.duration_ms >= SLOW_MS, stdout)
  const again = await push(cwd, ['f.jsonl', '--full-refresh', ...STATE])
  const seconds = (url: string): number => Number(new RegExp(`${url} \\(.*\\) in ([\\d.]+) s`).exec(again.stdout)?.[1])
  t.ok(seconds(fast.url) < SLOW_MS / 1000, again.stdout)
  t.ok(seconds(slow.url) >= SLOW_MS / 1000, again.stdout)
})

t.test('a target without counts per kind is reported with the number of records sent', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([...manyQueries(3), size()]), 'g.jsonl': jsonl([size({ dataset: 'g' })]) })
  const server = await startHttpServer(t, { answer: () => applied })
  const table = /inserted, 0 updated\) in .*\n {2}query_measurement +3 records\n {2}compression_size +2 records\n$/
  const plain = await push(cwd, ['f.jsonl', 'g.jsonl', '--server', server.url])
  t.match(plain.stdout, table)
  const withState = await push(cwd, ['f.jsonl', 'g.jsonl', '--server', server.url, ...STATE])
  t.match(withState.stdout, table)
  t.notMatch(plain.stdout + withState.stdout, TOKEN)
})
