/** `push --on-error reject` and `validate --accepted --rejects`: good lines go on, bad lines lie byte for byte in a file of their own. */

import { appendFileSync, existsSync, linkSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { runCli, startCli, temporaryFiles, type CliResult } from '../fixtures/cli.js'
import { applied, recordsOf, startAnswering, startHttpServer, type TestServer } from '../fixtures/http-server.js'
import { jsonl, line, manyQueries, query } from '../fixtures/records.js'
import { waitUntil } from '../fixtures/wait-until.js'
import { push, pushArgs, pushReported, TOKEN, writeFile } from './fixtures/pushing.js'
import { schemaErrors } from './fixtures/schema.js'
import type { RejectReason } from '../../src/reports/records.js'

const BAD = '{"kind":"query_measurement","broken'
const OTHER_COMMIT = query({ commit_sha: 'f'.repeat(40), query_idx: 900 })

const rejecting = (max: string, file = 'bad.jsonl'): readonly string[] => [
  ...['--on-error', 'reject', '--max-rejections', max, '--rejects', file],
]

const sent = ({ asked }: TestServer): number => asked.reduce((all, one) => all + recordsOf(one).length, 0)

function reasonsIn(cwd: string, name = 'bad.jsonl'): readonly RejectReason[] {
  const text = readFileSync(join(cwd, `${name}.reasons.jsonl`), 'utf8')
  return text
    .trimEnd()
    .split('\n')
    .map(one => JSON.parse(one) as RejectReason)
}

const rejectsIn = (cwd: string, name = 'bad.jsonl'): string => readFileSync(join(cwd, name), 'latin1')

function assertNothingWritten(t: Test, cwd: string): void {
  t.strictSame(
    readdirSync(cwd).filter(name => name.includes('bad.jsonl')),
    [],
    'no file of rejects and nothing temporary',
  )
}

t.test(
  'the good lines are delivered, the bad ones are in the file byte for byte, and the repaired file brings the rest',
  async t => {
    const [one, two, three] = manyQueries(3) as [string, string, string]
    const bad = `${two.replace('"value_ns"', '"value_nsx"')}\r\n`
    const cwd = t.testdir({ 'f.jsonl': `${one}\r\n\n${bad}${three}\n${BAD}` })
    const server = await startAnswering(t, applied)
    const args = ['f.jsonl', '--server', server.url]
    const { code, report, stdout, stderr } = await pushReported(cwd, [...args, ...rejecting('2')])
    t.equal(code, 3, stderr)
    t.strictSame(schemaErrors('push-report', stdout), [])
    t.match(report, {
      exit_code: 3,
      accepted: 2,
      rejected: 2,
      records: 2,
      targets: [{ status: 'delivered', records: 2 }],
    })
    t.match(report.rejects, { lines: 2, file: 'bad.jsonl', reasons: 'bad.jsonl.reasons.jsonl', in_state: false })
    t.equal(rejectsIn(cwd), `${bad}${BAD}`, 'with CRLF, and without a line feed that was not there')
    const reasons = reasonsIn(cwd)
    for (const reason of reasons) t.strictSame(schemaErrors('reject-reason', JSON.stringify(reason)), [])
    t.match(reasons, [
      {
        rejects_line: 1,
        source: 'f.jsonl',
        line: 3,
        byte: one.length + 3,
        code: 'missing_field',
        pointer: '/value_ns',
      },
      { rejects_line: 2, source: 'f.jsonl', line: 5, code: 'invalid_json' },
    ])
    t.equal(sent(server), 2)
    writeFile(cwd, 'bad.jsonl', `${two}\n`)
    const repaired = await pushReported(cwd, ['bad.jsonl', '--server', server.url])
    t.match(repaired, { code: 0, report: { accepted: 1, rejected: 0, rejects: null } })
    t.equal(sent(server), 3)
  },
)

t.test('people read what was rejected, where it is and what to do', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([...manyQueries(3), BAD]) })
  const server = await startAnswering(t, applied)
  const { code, stdout, stderr } = await push(cwd, ['f.jsonl', '--server', server.url, ...rejecting('50%')])
  t.equal(code, 3)
  t.match(stdout, /^ingested 3 records of 0123456/)
  t.match(stderr, /^error: f\.jsonl:4 \(byte \d+\): the line is not JSON/m)
  t.match(
    stderr,
    /^error: 1 line rejected, 3 accepted; the rejected ones are in bad\.jsonl \(reasons in bad\.jsonl\.reasons\.jsonl\)$/m,
  )
  t.match(stderr, /^hint: repair the lines in bad\.jsonl and push that file$/m)
})

t.test('beyond the limit nothing lands and nothing is written', async t => {
  const server = await startAnswering(t, applied)
  for (const [max, code] of [
    ['0', 65],
    ['1', 65],
    ['2', 3],
    ['1.9%', 65],
    ['2%', 3],
    ['0%', 65],
    ['100%', 3],
  ] as const) {
    const cwd = t.testdir({ 'f.jsonl': jsonl([...manyQueries(98), BAD, BAD]) })
    const before = server.asked.length
    const result = await push(cwd, ['f.jsonl', '--server', server.url, ...rejecting(max)])
    t.equal(result.code, code, `${max}: ${result.stderr}`)
    if (code === 3) continue
    t.equal(server.asked.length, before)
    assertNothingWritten(t, cwd)
    t.match(result.stderr, `nothing was sent: 2 lines rejected in f.jsonl, more than --max-rejections ${max} allows`)
  }
})

t.test('several files make one file of rejects, and a file of rejected lines only counts as empty', async t => {
  const lines = manyQueries(4)
  const cwd = t.testdir({
    'a.jsonl': `${jsonl([BAD, lines[0]!])}no line feed`,
    'b.jsonl': jsonl(['only', 'bad']),
    'c.jsonl.gz': gzipSync(`${lines[1]}\n${OTHER_COMMIT}\n`),
  })
  const server = await startAnswering(t, applied)
  const args = ['a.jsonl', 'b.jsonl', 'c.jsonl.gz', '--server', server.url, '--require-records', ...rejecting('5')]
  const { code, report, stderr } = await pushReported(cwd, args)
  t.equal(code, 3, stderr)
  t.match(report, { accepted: 2, rejected: 5 })
  t.equal(rejectsIn(cwd), jsonl([BAD, 'no line feed', 'only', 'bad', OTHER_COMMIT]))
  t.strictSame(
    reasonsIn(cwd).map(({ rejects_line, source, line, code }) => [rejects_line, source, line, code]),
    [
      [1, 'a.jsonl', 1, 'invalid_json'],
      [2, 'a.jsonl', 3, 'invalid_json'],
      [3, 'b.jsonl', 1, 'invalid_json'],
      [4, 'b.jsonl', 2, 'invalid_json'],
      [5, 'c.jsonl.gz', 2, 'commit_mismatch'],
    ],
  )
})

t.test('standard input, bytes that are no UTF-8, and a line above the length limit', async t => {
  const cwd = t.testdir({})
  const server = await startAnswering(t, applied)
  const invalid = Buffer.from('{"kind":"\xff"}\r\n', 'latin1')
  const long = Buffer.from(`${'x'.repeat(17 * 1024 * 1024)}\n`)
  const [one, two] = manyQueries(2)
  const stdin = Buffer.concat([Buffer.from(`${one}\n`), invalid, long, Buffer.from(`${two}\n`)])
  const { code, stderr } = await push(cwd, ['-', '--server', server.url, ...rejecting('2')], { stdin })
  t.equal(code, 3, stderr)
  t.equal(sent(server), 2)
  t.ok(readFileSync(join(cwd, 'bad.jsonl')).equals(Buffer.concat([invalid, long])))
  t.strictSame(
    reasonsIn(cwd).map(({ source, line, code }) => [source, line, code]),
    [
      ['-', 2, 'invalid_utf8'],
      ['-', 3, 'line_too_long'],
    ],
  )
  t.strictSame(temporaryFiles(), [])
})

t.test(
  'the first accepted commit decides; without an accepted line, or with a file of another format, all is fatal',
  async t => {
    const server = await startAnswering(t, applied)
    const other = query({ commit_sha: 'HEAD' })
    const cwd = t.testdir({
      'first.jsonl': jsonl([other, ...manyQueries(2)]),
      'none.jsonl': jsonl([other, other]),
      'array.jsonl': '[{"kind":"query_measurement"}]\n',
      'torn.jsonl.gz': gzipSync(jsonl(manyQueries(50))).subarray(0, 60),
    })
    t.equal((await push(cwd, ['first.jsonl', '--server', server.url, ...rejecting('90%', 'ok.jsonl')])).code, 3)
    t.equal(rejectsIn(cwd, 'ok.jsonl'), `${other}\n`)
    for (const name of ['none.jsonl', 'array.jsonl', 'torn.jsonl.gz']) {
      const before = server.asked.length
      const { code, stderr } = await push(cwd, [name, '--server', server.url, ...rejecting('100%')])
      t.equal(code, 65, `${name}: ${stderr}`)
      t.equal(server.asked.length, before)
      assertNothingWritten(t, cwd)
    }
  },
)

t.test('lines of another contract version than most are rejected, and equal measurements are not', async t => {
  const cwd = t.testdir({
    'f.jsonl': jsonl([
      ...[1, 2].map(n => line('random_access_time', { dataset: `"d${n}"` })),
      line('random_access_time', { open_mode: undefined, dataset: '"d1"' }),
      ...[query(), query()],
    ]),
  })
  const server = await startAnswering(t, applied)
  const { code, report, stderr } = await pushReported(cwd, ['f.jsonl', '--server', server.url, ...rejecting('1')])
  t.equal(code, 3, stderr)
  t.match(report, { accepted: 4, rejected: 1 })
  t.match(reasonsIn(cwd), [{ rejects_line: 1, line: 3, code: 'missing_field' }])
})

t.test('a record that one target cannot take is rejected for all targets', async t => {
  const large = query({ dataset: 'd'.repeat(5000), query_idx: 7 })
  const cwd = t.testdir({ 'f.jsonl': jsonl([...manyQueries(2), large]) })
  const [small, other] = [await startAnswering(t, applied), 'archive']
  const args = ['f.jsonl', '--server', small.url, '--max-envelope-bytes', '2000', ...rejecting('1')]
  const { code, report, stderr } = await pushReported(cwd, args)
  t.equal(code, 3, `${other} ${stderr}`)
  t.match(report, { accepted: 2, rejected: 1 })
  t.equal(rejectsIn(cwd), `${large}\n`)
  t.match(reasonsIn(cwd), [{ line: 3, code: 'record_too_large' }])
  t.equal(sent(small), 2)
})

t.test('an existing file of rejects is never replaced, and the same rejects may be written again', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query(), BAD]) })
  const server = await startAnswering(t, applied)
  const args = ['f.jsonl', '--server', server.url, ...rejecting('9')]
  t.equal((await push(cwd, args)).code, 3)
  const again = await push(cwd, args)
  t.equal(again.code, 3, again.stderr)
  appendFileSync(join(cwd, 'f.jsonl'), 'another\n')
  const before = server.asked.length
  const refused = await push(cwd, args)
  t.equal(refused.code, 78)
  t.match(refused.stderr, /error: bad\.jsonl exists and holds other lines, which are not replaced/)
  t.equal(server.asked.length, before, 'nothing is delivered before the rejected lines are on disk')
  t.equal(rejectsIn(cwd), `${BAD}\n`)
  t.match(readdirSync(cwd), { length: 4 }, 'nothing temporary is left')
})

t.test(
  'an input cannot be the file of rejects, under whatever name, and flags that make no sense are refused',
  async t => {
    const cwd = t.testdir({ 'f.jsonl': jsonl([query(), BAD]), 'bad.jsonl.reasons.jsonl': jsonl([query()]) })
    linkSync(join(cwd, 'f.jsonl'), join(cwd, 'hard.jsonl'))
    symlinkSync('f.jsonl', join(cwd, 'soft.jsonl'))
    const server = await startAnswering(t, applied)
    const to = ['--server', server.url]
    for (const name of ['f.jsonl', './f.jsonl', 'hard.jsonl', 'soft.jsonl']) {
      const { code, stderr } = await push(cwd, ['f.jsonl', ...to, ...rejecting('9', name)])
      t.equal(code, 2, name)
      t.match(stderr, / is an input, so nothing is written to it/)
    }
    t.match(await push(cwd, ['*.jsonl', ...to, ...rejecting('9')]), {
      code: 2,
      stderr: /bad\.jsonl\.reasons\.jsonl is an input/,
    })
    t.match(await push(cwd, ['f.jsonl', ...to, '--rejects', 'bad.jsonl']), {
      code: 2,
      stderr: /--rejects requires --on-error reject/,
    })
    t.match(await push(cwd, ['f.jsonl', ...to, '--on-error', 'reject']), {
      code: 2,
      stderr: /rejected lines need a place/,
    })
    for (const max of ['-1', '1.5', '101%', 'some'])
      t.match(await push(cwd, ['f.jsonl', ...to, ...rejecting(max)]), {
        code: 2,
        stderr: /It must be a number of lines/,
      })
    const missing = await push(cwd, ['f.jsonl', ...to, ...rejecting('9', 'no/such/folder/bad.jsonl')])
    t.match(missing, { code: 78, stderr: /cannot write no\/such\/folder\/bad\.jsonl/ })
    t.equal(server.asked.length, 0)
  },
)

t.test('a dry run counts and writes nothing', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query(), BAD]) })
  const { code, report } = await pushReported(cwd, [
    'f.jsonl',
    '--server',
    'http://127.0.0.1:1',
    '--dry-run',
    ...rejecting('1'),
  ])
  t.equal(code, 3)
  t.match(report, { accepted: 1, rejected: 1, rejects: { lines: 1, set: null } })
  assertNothingWritten(t, cwd)
})

t.test('a target that fails decides the exit code, and the rejects are on disk', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query(), BAD]) })
  const args = ['f.jsonl', '--server', 'http://127.0.0.1:1', '--retries', '0', ...rejecting('1')]
  t.equal((await push(cwd, args)).code, 69)
  t.equal(rejectsIn(cwd), `${BAD}\n`)
  t.equal((await push(cwd, [...args, '--allow-failure'])).code, 3)
})

t.test('kill -9 while the records are on their way: the rejects are complete, and the same push goes on', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query(), BAD]) })
  const silent = await startHttpServer(t, { answer: () => () => undefined })
  const killed = startCli(pushArgs(cwd, 'f.jsonl', '--server', silent.url, ...rejecting('1')), {
    cwd,
    env: { INGEST_BEARER_TOKEN: TOKEN },
  })
  await waitUntil(() => silent.asked.length > 0)
  killed.child.kill('SIGKILL')
  t.equal((await killed.result).signal, 'SIGKILL')
  t.equal(rejectsIn(cwd), `${BAD}\n`)
  t.equal(reasonsIn(cwd).length, 1)
  const server = await startAnswering(t, applied)
  t.equal((await push(cwd, ['f.jsonl', '--server', server.url, ...rejecting('1')])).code, 3)
  t.equal(sent(server), 1)
})

const TINY_DISK = [
  'unshare',
  '--map-root-user',
  '--mount',
  'sh',
  '-c',
  'mount -t tmpfs -o size=8k none "$0" && "$@"; echo $?; ls -A "$0"',
]

t.test(
  'a full disk: nothing is delivered and nothing is left',
  { skip: !(await mayMount()) && 'needs leave to mount' },
  async t => {
    const cwd = t.testdir({ 'f.jsonl': jsonl([query(), 'x'.repeat(50_000)]), disk: {} })
    const server = await startAnswering(t, applied)
    const { stdout, stderr } = await push(
      cwd,
      ['f.jsonl', '--server', server.url, ...rejecting('1', 'disk/bad.jsonl')],
      {
        under: [...TINY_DISK, join(cwd, 'disk')],
      },
    )
    t.equal(stdout, '69\n', stderr)
    t.match(stderr, /cannot write disk\/bad\.jsonl: ENOSPC/)
    t.equal(server.asked.length, 0)
  },
)

async function mayMount(): Promise<boolean> {
  const { spawnSync } = await import('node:child_process')
  return spawnSync('unshare', ['--map-root-user', '--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0
}

t.test('memory does not grow with the number of rejected lines', async t => {
  const bad = `${BAD}${'x'.repeat(100)}\n`
  const server = await startAnswering(t, applied)
  const peaks: number[] = []
  for (const lines of [50_000, 200_000]) {
    const cwd = t.testdir({ 'f.jsonl': jsonl([query()]) + bad.repeat(lines) })
    const args = ['f.jsonl', '--server', server.url, '--quiet', ...rejecting('100%')]
    const { code, peakRssMiB } = await push(cwd, args, { measure: true, timeoutMs: 300_000 })
    t.equal(code, 3)
    t.equal(readFileSync(join(cwd, 'bad.jsonl')).length, bad.length * lines)
    peaks.push(peakRssMiB)
  }
  t.comment(`peak memory ${peaks.map(Math.round).join(' and ')} MiB`)
  t.ok(peaks[1]! < peaks[0]! + 40)
})

async function validate(cwd: string, args: readonly string[], options = {}): Promise<CliResult> {
  return runCli(['validate', ...args], { cwd, ...options })
}

t.test('validate splits files byte for byte, also gzip and standard input', async t => {
  const [one, two, three] = manyQueries(3) as [string, string, string]
  const text = `${one}\r\n${BAD}\n\n${two}\n${OTHER_COMMIT}\n${three}`
  for (const [args, options] of [
    [['f.jsonl'], {}],
    [['f.jsonl.gz'], {}],
    [['-'], { stdin: text }],
  ] as const) {
    const cwd = t.testdir({ 'f.jsonl': text, 'f.jsonl.gz': gzipSync(text) })
    const split = ['--accepted', 'good.jsonl', '--rejects', 'bad.jsonl', '--format', 'json']
    const { code, stdout, stderr } = await validate(cwd, [...args, ...split], options)
    t.equal(code, 65, stderr)
    t.strictSame(schemaErrors('validate-report', stdout), [])
    t.match(JSON.parse(stdout), {
      records: 3,
      rejected: 2,
      accepted_file: 'good.jsonl',
      rejects: { lines: 2, file: 'bad.jsonl' },
    })
    t.equal(rejectsIn(cwd, 'good.jsonl'), `${one}\r\n\n${two}\n${three}`)
    t.equal(rejectsIn(cwd), jsonl([BAD, OTHER_COMMIT]))
    t.match(reasonsIn(cwd), [
      { rejects_line: 1, line: 2 },
      { rejects_line: 2, line: 5, code: 'commit_mismatch' },
    ])
    t.equal((await validate(cwd, ['good.jsonl'])).code, 0)
  }
})

t.test(
  'validate writes no file of rejects when there are none, and refuses files that would mix or replace lines',
  async t => {
    const cwd = t.testdir({ 'f.jsonl': jsonl([query()]), 'g.jsonl': jsonl([query(), BAD]), 'old.jsonl': 'old\n' })
    const clean = await validate(cwd, ['f.jsonl', '--accepted', 'good.jsonl', '--rejects', 'bad.jsonl'])
    t.equal(clean.code, 0, clean.stderr)
    t.match(clean.stdout, /^accepted lines are in good\.jsonl$/m)
    assertNothingWritten(t, cwd)
    t.equal((await validate(cwd, ['g.jsonl', '--accepted', 'x.jsonl', '--rejects', './x.jsonl'])).code, 2)
    t.equal((await validate(cwd, ['g.jsonl', '--rejects', 'g.jsonl'])).code, 2)
    t.equal((await validate(cwd, ['g.jsonl', '--rejects', 'bad.jsonl', '--max-rejections', '1'])).code, 2)
    const refused = await validate(cwd, ['g.jsonl', '--accepted', 'old.jsonl', '--rejects', 'bad.jsonl'])
    t.match(refused, { code: 78, stderr: /old\.jsonl exists/ })
    assertNothingWritten(t, cwd)
    t.ok(existsSync(join(cwd, 'old.jsonl')))
  },
)

t.test('the summary of a GitHub step says how many lines were accepted and rejected', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl([query(), BAD]), summary: '', output: '' })
  const server = await startAnswering(t, applied)
  const env = {
    GITHUB_ACTIONS: 'true',
    GITHUB_STEP_SUMMARY: join(cwd, 'summary'),
    GITHUB_OUTPUT: join(cwd, 'output'),
  }
  const { code, stderr } = await push(cwd, ['f.jsonl', '--server', server.url, ...rejecting('1')], { env })
  t.equal(code, 3, stderr)
  t.match(readFileSync(join(cwd, 'summary'), 'utf8'), /^### ⚠️ vortex-ingest push: 1 record of .* s, 1 line rejected$/m)
  t.match(readFileSync(join(cwd, 'output'), 'utf8'), /^accepted=1\nrejected=1\n/m)
  t.match(stderr, /^::error file=f\.jsonl,line=2/m)
  t.match(stderr, /^::error title=vortex-ingest::1 line rejected, 1 accepted/m)
})
