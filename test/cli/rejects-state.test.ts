/** `push --on-error reject --state`: rejected lines are objects of the state until they are repaired, and none is lost. */

import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { applied, recordsOf, startAnswering, type TestServer } from '../fixtures/http-server.js'
import { jsonl, manyQueries, query } from '../fixtures/records.js'
import { push, pushReported, writeFile } from './fixtures/pushing.js'
import { DEAD, onState, STATE, statusOf, storageOf } from './fixtures/state.js'
import { schemaErrors } from './fixtures/schema.js'
import type { StateRejectsListReport } from '../../src/reports/state.js'

const BAD = '{"kind":"query_measurement","broken'
const REJECT = ['--on-error', 'reject', '--max-rejections', '5', ...STATE]

/** The query_idx of each record that the server has received, in order. */
function received({ asked }: TestServer): readonly number[] {
  return asked.flatMap(one => recordsOf(one).map(record => (record as { query_idx: number }).query_idx))
}

async function rejectsOf(cwd: string): Promise<StateRejectsListReport['sets']> {
  const { stdout } = await onState(cwd, ['state', 'rejects', 'ls', '--format', 'json'])
  t.strictSame(schemaErrors('state-rejects-ls-report', stdout), [])
  return (JSON.parse(stdout) as StateRejectsListReport).sets
}

const fail = (point: string): { env: Record<string, string> } => ({ env: { VORTEX_INGEST_TEST_FAIL_POINT: point } })

t.test('rejects are listed, counted, exported, and gone when their repaired file was pushed', async t => {
  const [one, two, three] = manyQueries(3) as [string, string, string]
  const bad = `${two.slice(0, -5)}\r\n`
  const cwd = t.testdir({ 'f.jsonl': `${one}\n${bad}${three}\n` })
  const server = await startAnswering(t, applied)
  const to = ['--server', server.url]
  const first = await pushReported(cwd, ['f.jsonl', ...to, ...REJECT])
  t.equal(first.code, 3, first.stderr)
  t.match(first.report, { accepted: 2, rejected: 1, rejects: { lines: 1, file: null, in_state: true } })
  t.match(first.stderr, /hint: `vortex-ingest state rejects export FILE [0-9a-f]{20}` writes them to a file/)
  t.match(await rejectsOf(cwd), [{ id: first.report.rejects?.set, sources: ['f.jsonl'], lines: 1 }])
  t.strictSame((await statusOf(cwd)).rejected, { lines: 1, sets: 1 })
  t.match((await onState(cwd, ['status'])).stderr, /warning: 1 rejected line to repair/)

  t.match(
    await push(cwd, ['f.jsonl', ...to, ...REJECT]),
    { code: 0, stdout: /^nothing new/ },
    'rejected lines are not read again',
  )
  appendFileSync(join(cwd, 'f.jsonl'), jsonl([query({ query_idx: 77 })]))
  t.match(await pushReported(cwd, ['f.jsonl', ...to, ...STATE]), { code: 0, report: { accepted: 1 } })

  const exported = await onState(cwd, ['state', 'rejects', 'export', 'rejects.jsonl', '--format', 'json'])
  t.strictSame(schemaErrors('state-rejects-export-report', exported.stdout), [])
  t.equal(readFileSync(join(cwd, 'rejects.jsonl'), 'utf8'), bad)
  t.match(
    readFileSync(join(cwd, 'rejects.jsonl.reasons.jsonl'), 'utf8'),
    /^\{"rejects_line":1,.*"source":"f\.jsonl","line":2,/,
  )
  writeFile(cwd, 'rejects.jsonl', `${two}\n`)
  t.match(await pushReported(cwd, ['rejects.jsonl', ...to, ...STATE]), {
    code: 0,
    report: { accepted: 1, rejected: 0 },
  })
  t.strictSame(received(server), [0, 2, 77, 1], 'every record once')
  t.strictSame(await rejectsOf(cwd), [])
  t.strictSame((await statusOf(cwd)).rejected, { lines: 0, sets: 0 })
  t.match((await statusOf(cwd)).audit, [{ event: 'rejects-removed', detail: /repaired and pushed as rejects\.jsonl/ }])
})

t.test(
  'the file of --rejects can be repaired and pushed as well, and a file with too few lines closes nothing',
  async t => {
    const cwd = t.testdir({ 'f.jsonl': jsonl([query(), BAD, BAD]) })
    const server = await startAnswering(t, applied)
    const to = ['--server', server.url]
    t.equal((await push(cwd, ['f.jsonl', ...to, ...REJECT, '--rejects', 'bad.jsonl'])).code, 3)
    writeFile(cwd, 'bad.jsonl', jsonl([query({ query_idx: 5 })]))
    const partly = await push(cwd, ['bad.jsonl', ...to, ...STATE])
    t.match(partly, { code: 0, stderr: /bad\.jsonl has 1 of 2 rejected lines/ })
    t.match(await rejectsOf(cwd), [{ lines: 2 }])
    writeFile(cwd, 'bad.jsonl', jsonl([query({ query_idx: 5 }), query({ query_idx: 6 })]))
    t.equal((await push(cwd, ['bad.jsonl', ...to, ...STATE])).code, 0)
    t.strictSame(await rejectsOf(cwd), [])
  },
)

t.test('beyond the limit nothing is enqueued and nothing is in the state', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query(), ...Array<string>(6).fill(BAD)]) })
  const server = await startAnswering(t, applied)
  const { code, stderr } = await push(cwd, ['f.jsonl', '--server', server.url, ...REJECT])
  t.equal(code, 65)
  t.match(stderr, /6 lines rejected in f\.jsonl, more than --max-rejections 5 allows/)
  t.equal(server.asked.length, 0)
  t.strictSame(await rejectsOf(cwd), [])
  t.match(await statusOf(cwd), { records: 0 })
})

t.test('a last line that is still being written is rejected for now, and delivered when it is complete', async t => {
  const [one, two, three] = manyQueries(3) as [string, string, string]
  const cwd = t.testdir({ 'f.jsonl': `${one}\n${two.slice(0, 40)}` })
  const server = await startAnswering(t, applied)
  const args = ['f.jsonl', '--server', server.url, ...REJECT]
  t.match(await pushReported(cwd, args), { code: 3, report: { accepted: 1, rejected: 1 } })
  t.match(await pushReported(cwd, args), { code: 3, report: { accepted: 0, rejected: 1 } })
  t.match(await rejectsOf(cwd), [{ lines: 1 }], 'the same line is stored once')
  appendFileSync(join(cwd, 'f.jsonl'), `${two.slice(40)}\n${three}\n`)
  const complete = await pushReported(cwd, args)
  t.match(complete, { code: 0, report: { accepted: 2, rejected: 0 } }, complete.stderr)
  t.strictSame(received(server), [0, 1, 2])
})

t.test('a file repaired at its place is read from its start, and no record is stored twice or lost', async t => {
  const [one, two, three] = manyQueries(3) as [string, string, string]
  const cwd = t.testdir({ 'f.jsonl': jsonl([one, BAD, three]) })
  const server = await startAnswering(t, applied)
  const args = ['f.jsonl', '--server', server.url, ...STATE]
  t.equal((await push(cwd, [...args, ...REJECT])).code, 3)
  writeFileSync(join(cwd, 'new.jsonl'), jsonl([one, two, three]))
  renameSync(join(cwd, 'new.jsonl'), join(cwd, 'f.jsonl'))
  t.equal((await push(cwd, args)).code, 0)
  t.strictSame([...new Set(received(server))].sort(), [0, 1, 2])
  const [set] = await rejectsOf(cwd)
  t.match(set, { lines: 1 }, 'the state cannot know that the line was repaired')
  t.equal((await onState(cwd, ['state', 'rejects', 'rm', set!.id])).code, 0)
  t.strictSame(await rejectsOf(cwd), [])
  t.match(await onState(cwd, ['state', 'rejects', 'rm', set!.id]), { code: 78, stderr: /there are no rejected lines/ })
})

t.test(
  'a target that is down changes nothing: the accepted records are queued, the rejected ones are in the state',
  async t => {
    const cwd = t.testdir({ 'f.jsonl': jsonl([query(), BAD]) })
    const { code } = await push(cwd, ['f.jsonl', '--server', DEAD, '--retries', '0', ...REJECT])
    t.equal(code, 75)
    const status = await statusOf(cwd)
    t.match(status, { rejected: { lines: 1 }, targets: [{ lag: { records: 1 } }] })
  },
)

t.test(
  'kill -9 at any step: the rejects are stored before anything is enqueued, and the same push completes',
  async t => {
    const server = await startAnswering(t, applied)
    const steps = ['reject.put#1', 'reject.put#2', 'reject.put#3', 'head.put', 'watermark.put', 'server.write']
    for (const step of steps)
      for (const fault of ['kill-before', 'kill-after']) {
        const cwd = t.testdir({ 'f.jsonl': jsonl([query(), BAD, query({ query_idx: 2 })]) })
        const before = server.asked.length
        const args = ['f.jsonl', '--server', server.url, ...REJECT, '--rejects', 'bad.jsonl']
        await push(cwd, args, fail(`${step}=${fault}`))
        const { objects } = await (await storageOf(cwd)).list('outbox/')
        if (objects.some(({ key }) => key.endsWith('/head')))
          t.match(await rejectsOf(cwd), [{ lines: 1 }], `${step} ${fault}: nothing is enqueued without its rejects`)
        const again = await push(cwd, args)
        t.ok([0, 3].includes(again.code!), `${step} ${fault}: ${again.stderr}`)
        t.match(await rejectsOf(cwd), [{ lines: 1 }])
        t.equal(readFileSync(join(cwd, 'bad.jsonl'), 'utf8'), `${BAD}\n`)
        const sent = server.asked
          .slice(before)
          .flatMap(one => recordsOf(one).map(one => (one as { query_idx: number }).query_idx))
        t.strictSame([...new Set(sent)].sort(), [1, 2])
        t.match((await statusOf(cwd)).targets, [{ lag: { records: 0 } }])
      }
  },
)

t.test('two pushes at once, with one state and one file of rejects, lose and double nothing', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([...manyQueries(20), BAD]) })
  const server = await startAnswering(t, applied)
  const args = ['f.jsonl', '--server', server.url, ...REJECT, '--rejects', 'bad.jsonl']
  const both = await Promise.all([push(cwd, args), push(cwd, args)])
  for (const { code, stderr } of both) t.ok([0, 3].includes(code!), stderr)
  t.ok(both.some(({ code }) => code === 3))
  t.match(await rejectsOf(cwd), [{ lines: 1 }])
  t.equal(readFileSync(join(cwd, 'bad.jsonl'), 'utf8'), `${BAD}\n`)
  t.strictSame(
    [...received(server)].sort((a, b) => a - b),
    Array.from({ length: 20 }, (_, index) => index),
  )
})

t.test('prune removes rejects only by age and force, with an audit row', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query(), BAD]) })
  const server = await startAnswering(t, applied)
  t.equal((await push(cwd, ['f.jsonl', '--server', server.url, ...REJECT])).code, 3)
  t.equal((await onState(cwd, ['state', 'prune'])).code, 0)
  t.match(await rejectsOf(cwd), [{ lines: 1 }])
  const force = ['state', 'prune', '--force', '--older-than', '0m']
  const dry = await onState(cwd, [...force, '--dry-run', '--format', 'json'])
  t.strictSame(schemaErrors('state-prune-report', dry.stdout), [])
  t.match(JSON.parse(dry.stdout), { rejected: [{ lines: 1 }] })
  t.match(await rejectsOf(cwd), [{ lines: 1 }])
  t.match((await onState(cwd, force)).stderr, /warning: removed by age: 1 rejected line/)
  t.strictSame(await rejectsOf(cwd), [])
  t.match((await statusOf(cwd)).audit[0], { event: 'rejects-removed', detail: /removed by age/ })
})

t.test('a damaged set is named by status, and not exported', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query(), BAD]) })
  const server = await startAnswering(t, applied)
  t.equal((await push(cwd, ['f.jsonl', '--server', server.url, ...REJECT])).code, 3)
  const storage = await storageOf(cwd)
  const [set] = await rejectsOf(cwd)
  await storage.put(`rejects/${set!.id}/lines/000001`, Buffer.from('other\n'))
  const refused = await onState(cwd, ['state', 'rejects', 'export', 'x.jsonl'])
  t.match(refused, { code: 78, stderr: /is damaged: the content does not match its digest/ })
  await storage.put(`rejects/${set!.id}/head`, Buffer.from('{"version":1}'))
  t.match(await onState(cwd, ['status']), { code: 78, stderr: /rejects\/[0-9a-f]+\/head .* is damaged/ })
})

t.test('many rejects of several pushes become one file, with line numbers that fit it', async t => {
  const cwd = t.testdir({
    'f.jsonl': `${jsonl([query(), 'a', 'b'])}`,
    'g.jsonl': jsonl([query({ query_idx: 2 }), 'c']),
  })
  const server = await startAnswering(t, applied)
  for (const name of ['f.jsonl', 'g.jsonl'])
    t.equal((await push(cwd, [name, '--server', server.url, ...REJECT])).code, 3)
  t.equal((await onState(cwd, ['state', 'rejects', 'export', 'all.jsonl'])).code, 0)
  t.equal(readFileSync(join(cwd, 'all.jsonl'), 'utf8'), 'a\nb\nc\n')
  const reasons = readFileSync(join(cwd, 'all.jsonl.reasons.jsonl'), 'utf8').trimEnd().split('\n')
  t.strictSame(
    reasons
      .map(text => JSON.parse(text) as { rejects_line: number; source: string })
      .map(({ rejects_line, source }) => [rejects_line, source]),
    [
      [1, 'f.jsonl'],
      [2, 'f.jsonl'],
      [3, 'g.jsonl'],
    ],
  )
  writeFile(cwd, 'all.jsonl', jsonl([7, 8, 9].map(query_idx => query({ query_idx }))))
  t.equal((await push(cwd, ['all.jsonl', '--server', server.url, ...STATE])).code, 0)
  t.strictSame(await rejectsOf(cwd), [])
})
