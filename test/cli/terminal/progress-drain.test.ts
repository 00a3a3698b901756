/** How far `drain` and `recover` are: one line for all that a state kept, whatever it was kept as. */

import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { applied, json, startHttpServer } from '../../fixtures/http-server.js'
import { onTerminal, screenOf, noTerminal, type Shown } from '../../fixtures/terminal.js'
import { push, TOKEN, writeFile } from '../fixtures/pushing.js'
import { COMMIT, jsonl, query } from '../../fixtures/records.js'

const COMMITS = ['a', 'b', 'c'].map(digit => digit.repeat(40))
const RECORDS_EACH = 500
const ANSWER_MS = 900

/** A state with three commits for a server that was down and is slow now. @returns its address */
async function kept(t: Test, cwd: string): Promise<string> {
  const { url } = await startHttpServer(t, {
    answer: index =>
      index < COMMITS.length
        ? json(503, {})
        : async (response, asked) => {
            await pause(ANSWER_MS)
            return applied(response, asked)
          },
  })
  for (const sha of COMMITS) {
    const lines = Array.from({ length: RECORDS_EACH }, (_, index) => query({ commit_sha: sha, query_idx: index }))
    writeFile(cwd, `${sha[0]}.jsonl`, jsonl(lines))
    writeFile(
      cwd,
      'measured.json',
      JSON.stringify({ ...COMMIT, sha, url: `https://github.com/owner/repo/commit/${sha}` }),
    )
    const to = ['--server', url, '--retries', '0', '--state', 'state', '--commit', 'measured.json']
    // `recover` finishes only deliveries whose process has ended.
    const { code, stderr } = await push(cwd, [`${sha[0]}.jsonl`, ...to], { ownProcess: true })
    t.equal(code, 75, stderr)
  }
  return url
}

type Frame = { readonly done: number; readonly total: number }

/** The text of the progress line each time it was drawn. */
function framesOf({ text }: Shown): readonly Frame[] {
  const number = (digits = ''): number => Number(digits.replaceAll(',', ''))
  return [...text.matchAll(/([\d,]+) of ([\d,]+) records/g)].map(([, done, total]) => ({
    done: number(done),
    total: number(total),
  }))
}

t.test('progress of a drain', { skip: noTerminal }, async t => {
  const cwd = t.testdir({})
  const url = await kept(t, cwd)
  const env = { INGEST_BEARER_TOKEN: TOKEN }
  cpSync(join(cwd, 'state'), join(cwd, 'same-state'), { recursive: true })

  await t.test('drain counts over all deliveries, and leaves no line behind', async t => {
    const shown = await onTerminal(`vortex-ingest drain --state state --server ${url}`, { columns: 110, cwd, env })
    t.equal(shown.code, 0)
    const total = COMMITS.length * RECORDS_EACH
    const frames = framesOf(shown)
    for (const frame of frames) t.equal(frame.total, total)
    const counted = frames.map(({ done }) => done)
    const inOrder = counted.toSorted((one, other) => one - other)
    t.strictSame(counted, inOrder, 'it never goes back')
    t.ok(
      counted.some(done => done > RECORDS_EACH && done < total),
      'more than the first delivery has',
    )
    t.match(shown.text, /drain to server .*%.* records\/s .* s left/)
    t.notMatch(shown.text, /[abc]\.jsonl to server/)
    t.match(screenOf(shown.text)[0], /^drained 1,500 records/, 'the answer takes its place')
  })

  await t.test('recover counts the interrupted deliveries', async t => {
    const shown = await onTerminal(`vortex-ingest recover --state same-state --server ${url}`, {
      columns: 80,
      cwd,
      env,
    })
    t.equal(shown.code, 0)
    t.match(shown.text, /recover to server .* of 500 records|recover to server  waiting for the answer/)
    t.match(screenOf(shown.text)[0], /^recovered 500 records/)
  })

  await t.test('there is no progress without a terminal', async t => {
    const line = `vortex-ingest drain --state state --server ${url} 2>&1 | cat`
    t.notMatch((await onTerminal(line, { columns: 110, cwd, env })).text, /left|\u001b\[K/)
  })
})
