/** Commands that may not open enough files. */

import { spawnSync } from 'node:child_process'
import t from 'tap'
import { projectFile } from '../fixtures/cli.js'
import { jsonl, oneOfEach, writeCommit } from '../fixtures/records.js'

const BIN = projectFile('bin/vortex-ingest.js')

t.test('too few file descriptors are one clear error, at whatever step they run out', async t => {
  const cwd = t.testdir({ 'r.jsonl': jsonl(oneOfEach()) })
  const push = ['push', 'r.jsonl', '--commit', writeCommit(cwd), '--benchmark-id', 'b']
  for (const args of [
    ['validate', 'r.jsonl'],
    [...push, '--server', 'http://127.0.0.1:9', '--retries', '0'],
    [...push, '--postgres', 'postgres://u@127.0.0.1:9/d', '--insecure-local', '--allow-failure'],
    [...push, '--embedded', 'data'],
    [...push, '--archive', 'archive', '--state', 'state'],
    ['serve', '--embedded', 'data', '--port', '0', '--insecure-no-auth'],
  ])
    for (const limit of [19, 20, 21])
      await t.test(`${args[0]} ${args[6] ?? ''} with ${limit}`, async t => {
        // Without the options by which the test runner watches child processes.
        const script = `unset NODE_OPTIONS; ulimit -n ${limit}; exec "$0" "$@"`
        const options = {
          cwd,
          encoding: 'utf8',
          timeout: 60_000,
          env: { PATH: process.env['PATH'], HOME: cwd },
        } as const
        const { status, stderr } = spawnSync('/bin/sh', ['-c', script, process.execPath, BIN, ...args], options)
        t.notMatch(stderr, /\n\s+at |Node\.js v/, 'no stack trace')
        if (/EMFILE|too many/i.test(stderr)) t.match(stderr, /^error: .*\nhint: raise the limit of open files/m)
        if (/EMFILE|too many/i.test(stderr)) t.equal(status, 78)
      })
})
