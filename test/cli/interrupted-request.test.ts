/** SIGTERM while a server works on an envelope. */

import t from 'tap'
import { runCli } from '../fixtures/cli.js'
import { startHttpServer } from '../fixtures/http-server.js'
import { jsonl, oneOfEach, writeCommit } from '../fixtures/records.js'

t.test('a push that is terminated after the whole envelope was sent says that the outcome is unknown', async t => {
  const cwd = t.testdir({ 'r.jsonl': jsonl(oneOfEach()) })
  for (const state of [[], ['--state', 'state']]) {
    const there = await startHttpServer(t, { answer: () => () => undefined })
    const push = ['push', 'r.jsonl', '--commit', writeCommit(cwd), '--benchmark-id', 'b', '--server', there.url]
    const { code, stdout, stderr } = await runCli([...push, ...state], {
      cwd,
      signal: { name: 'SIGTERM', when: () => there.asked[0]?.body !== undefined },
    })
    t.equal(code, 143)
    t.match(stdout + stderr, `terminated: whether ${there.url} stored the records is unknown`)
    t.match(stdout + stderr, 'hint: run the same push again, which is safe')
    t.notMatch(stdout + stderr, 'undone')
  }
})
