/** `push --state` on a state that somebody damaged. */

import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { applied, json, recordsOf, startAnswering } from '../fixtures/http-server.js'
import { filesBelow } from '../state/fixtures/state.js'
import { startMigratedPostgres } from './fixtures/database.js'
import { push } from './fixtures/pushing.js'
import { jsonl, manyQueries, SHA } from '../fixtures/records.js'
import { DEAD, keyBelow, onState, STATE, statusOf, storageOf } from './fixtures/state.js'

const { createDatabase } = await startMigratedPostgres(t)

const lines = (from: number, to: number): readonly string[] => manyQueries(to).slice(from)

/** Each object of a state, spoilt by hand: what a push then does, and what is still there to be seen. */
const DAMAGE: readonly (readonly [string, 78 | 0, RegExp])[] = [
  [`outbox/${SHA}/head`, 78, /outbox\/\w+\/head in /],
  ['intents/', 78, /intents\/\w+ in /],
  ['targets/', 78, /targets\/[\w-]+ in /],
  ['watermarks/', 0, /the watermark of http:.* could not be read: delivered from the start/],
]

t.test(
  'a damaged or newer object is refused by name or delivered again, never skipped, and status shows it',
  async t => {
    for (const [prefix, exitCode, says] of DAMAGE)
      for (const body of ['{"vers', '{"version":2}']) {
        const isNewer = body.endsWith('}')
        const cwd = t.testdir({ 'f.jsonl': jsonl(lines(0, 2)) })
        // An intent stays where the target was dead.
        const server = await startAnswering(t, ...(prefix === 'intents/' ? [json(503, {}), applied] : [applied]))
        const args = ['f.jsonl', '--server', server.url, '--retries', '0', ...STATE]
        await push(cwd, args)
        const storage = await storageOf(cwd)
        const key = await keyBelow(storage, prefix)
        await storage.put(key, Buffer.from(body))
        const asked = server.asked.length
        appendFileSync(join(cwd, 'f.jsonl'), jsonl(lines(2, 3)))
        const name = `${prefix} ${body}`
        const status = await statusOf(cwd)
        t.equal(status.exit_code, 78, name)
        t.equal(status.problems.length, 1, name)
        t.match(status.problems[0], key, name)
        const pushed = await push(cwd, args)
        const refused = exitCode === 78 || isNewer
        t.equal(pushed.code, refused ? 78 : 0, `${name}: ${pushed.stderr}`)
        t.match(pushed.stderr, isNewer ? /has version 2; this program supports version 1/ : says, name)
        if (refused) {
          t.match(pushed.stderr, /^hint: .*the object was not changed/m)
          t.equal((await storage.get(key))?.toString(), body, 'and left alone')
          t.equal(server.asked.length, asked, `${name}: nothing was sent`)
        } else t.equal(server.asked.slice(asked).flatMap(recordsOf).length, 3, 'all of the outbox')
      }
  },
)

t.test('damaged and missing lines are refused by name, and intact lines stay queued', async t => {
  for (const spoil of [
    (whole: Buffer) => whole.subarray(0, -9),
    (whole: Buffer) => Buffer.from(whole.toString().replace('vortex', 'VORTEX')),
    undefined,
  ]) {
    const cwd = t.testdir({ 'f.jsonl': jsonl(lines(0, 2)) })
    await push(cwd, ['f.jsonl', '--server', DEAD, '--retries', '0', ...STATE])
    const storage = await storageOf(cwd)
    const key = await keyBelow(storage, `outbox/${SHA}/lines/`)
    if (spoil === undefined) await storage.delete(key)
    else await storage.put(key, spoil((await storage.get(key))!))
    const { url } = await createDatabase()
    for (const args of [
      ['drain', '--postgres', url],
      ['drain', '--server', DEAD],
    ]) {
      const { code, stderr } = await onState(cwd, [...args, '--retry-deadline', '1'])
      t.equal(code, 78, stderr)
      t.match(stderr, key)
    }
    t.match((await statusOf(cwd)).targets, [{ lag: { records: 2 } }])
  }
})

t.test('a truncated file of the local folder is named too', async t => {
  const cwd = t.testdir({ 'f.jsonl': jsonl(lines(0, 2)) })
  await push(cwd, ['f.jsonl', '--server', DEAD, '--retries', '0', ...STATE])
  const head = join(cwd, 'state', 'outbox')
  for (const path of filesBelow(head).filter(name => name.includes('head')))
    writeFileSync(path, readFileSync(path).subarray(0, 9))
  const { code, stderr } = await push(cwd, ['f.jsonl', '--server', DEAD, '--retries', '0', ...STATE])
  t.equal(code, 78)
  t.match(stderr, /outbox.*head/)
  t.equal((await onState(cwd, ['status'])).code, 78)
})
