/** Commands that may not open enough files. */

import { spawnSync } from 'node:child_process'
import { createServer } from 'node:net'
import t from 'tap'
import { projectFile } from '../fixtures/cli.js'
import { listen } from '../fixtures/listen.js'
import { jsonl, oneOfEach, writeCommit } from '../fixtures/records.js'

const BIN = projectFile('bin/vortex-ingest.js')
const cwd = t.testdir({ 'r.jsonl': jsonl(oneOfEach()) })

type Ended = { readonly status: number | null; readonly stdout: string; readonly stderr: string }

function runWith(limit: number, args: readonly string[]): Ended {
  // Without the options by which the test runner watches child processes.
  const script = `ulimit -n ${limit}; exec "$0" "$@"`
  const env = { PATH: process.env['PATH'], HOME: cwd }
  const options = { cwd, env, encoding: 'utf8', timeout: 60_000 } as const
  return spawnSync('/bin/sh', ['-c', script, process.execPath, BIN, ...args], options)
}

const REFUSED =
  /^error: .*(EMFILE|file descriptors).*\nhint: raise the limit of open files, for example with `ulimit -n 1024`$/m

/** The smallest limit with which the program starts. With fewer, Node cannot read its files, so it has no error of its own. */
function smallestLimit(): number {
  let limit = 10
  while (runWith(limit, ['--version']).status !== 0) limit++
  return limit
}

t.test('too few file descriptors are one clear error, at whatever step they run out', async t => {
  const closed = createServer()
  const port = await listen(t, closed)
  await new Promise(resolve => closed.close(resolve))
  const push = ['push', 'r.jsonl', '--commit', writeCommit(cwd), '--benchmark-id', 'b', '--retries', '0']
  const smallest = smallestLimit()
  t.ok(smallest < 32, `it starts with ${smallest}`)
  /** Arguments, and the exit code of the command if it may open enough files; undefined if it always needs more. */
  const commands: readonly (readonly [readonly string[], number | undefined])[] = [
    [['validate', 'r.jsonl'], 0],
    [[...push, '--server', `http://127.0.0.1:${port}`], 69],
    [[...push, '--postgres', `postgres://u@127.0.0.1:${port}/d`, '--insecure-local', '--retry-deadline', '1'], 69],
    [[...push, '--archive', 'archive', '--state', 'state'], 0],
    [[...push, '--embedded', 'data'], undefined],
    [['serve', '--store', 'served', '--insecure-no-auth'], undefined],
  ]
  for (const [args, usual] of commands)
    for (const limit of [0, 1, 2, 3, 4, 5].map(more => smallest + more))
      await t.test(`${args[0]} ${args[8] ?? ''} with ${limit}`, async t => {
        const { status, stderr } = runWith(limit, args)
        if (status === usual) return void t.notMatch(stderr, /EMFILE/)
        t.equal(status, 78, stderr)
        t.match(stderr, REFUSED)
        t.notMatch(stderr, /\n\s+at |Node\.js v/, 'no stack trace')
      })
})

t.test('the embedded database is not opened with too few file descriptors, whether it exists or not', async t => {
  const push = ['push', 'r.jsonl', '--commit', writeCommit(cwd), '--benchmark-id', 'b', '--embedded', 'files']
  for (const limit of [40, 64, 96, 255]) t.match(runWith(limit, push), { status: 78, stderr: REFUSED })
  t.equal(runWith(256, push).status, 0)
  t.match(runWith(96, push), { status: 78, stderr: REFUSED })
  t.equal(runWith(256, push).status, 0)
  const doctor = { status: 78, stdout: /fail engine .*needs 256 file descriptors/ }
  t.match(runWith(64, ['doctor', '--embedded', 'files']), doctor)
})
