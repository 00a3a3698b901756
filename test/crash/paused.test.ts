/** An owner that is stopped for longer than its lease, overtaken by another push, and woken up again. */

import t, { type Test } from 'tap'
import { TOKEN } from '../cli/fixtures/serve.js'
import { untilDone } from '../fixtures/cli.js'
import { startHttpServer } from '../fixtures/http-server.js'
import { Random, SEED } from '../fixtures/random.js'
import { makeCell, removeCell, startIn, type Cell, stepsOf, type Step } from './fixtures/cell.js'
import { PAUSED_STEPS, fewAtATime } from './fixtures/extent.js'
import { isWhole } from '../fixtures/extent.js'
import { LEASE_SECONDS, look, overtake, untilStopped } from './fixtures/pause.js'
import { leftovers } from './fixtures/state.js'
import { readServer, startTargetSets, unlike, type TargetSet } from './fixtures/targets.js'
import { waitUntil } from '../fixtures/wait-until.js'

t.setTimeout(900_000)
const sets = await startTargetSets(t)
const pathA = sets.find(({ name }) => name === 'path A')!
const pathB = sets.find(({ name }) => name === 'path B')!

async function cellFor(t: Test, name: string, set: TargetSet): Promise<Cell> {
  const cell = await makeCell(`paused: ${name}`, set)
  t.teardown(() => removeCell(cell))
  return cell
}

type Paused = { readonly cell: Cell; readonly step: Step }

/** @returns what does not hold at last */
async function pauseAt(t: Test, { cell, step }: Paused): Promise<readonly string[]> {
  const owner = startIn(cell, 'push', { failPoint: `${step}=stop`, leaseSeconds: LEASE_SECONDS })
  await untilStopped(owner)
  const before = await look(cell)
  // An intent whose delivery is complete is deleted by its owner.
  const open = before.intents.filter(({ target, until }) => until > (before.watermarks.get(target)?.until ?? 0))
  const expected = await overtake(t, cell)
  owner.child.kill('SIGCONT')
  const { code, stderr } = await owner.result
  const found = await look(cell)
  const events = (event: string): readonly string[] => found.audit.filter(row => row.event === event).map(row => row.id)
  return [
    ...(code === 0 ? [] : [`the owner ended with ${code}: ${stderr}`]),
    ...(await unlike(cell, expected, 'at last')),
    ...leftovers(found, cell.sha),
    ...open.filter(({ id }) => !events('recovered').includes(id)).map(({ id }) => `no audit row of ${id}`),
    ...(events('overtaken').length <= cell.set.targets.length
      ? []
      : [`overtaken: ${events('overtaken').length} times`]),
  ]
}

t.test('an owner that resumes after it lost its lease writes no old values', async t => {
  const cell = await cellFor(t, 'before the write', pathB)
  t.strictSame(await pauseAt(t, { cell, step: 'postgres.write#1' }), [])
  const { audit } = await look(cell)
  t.strictSame(audit.map(({ event }) => event).sort(), ['overtaken', 'recovered'])
})

t.test('a delivery that arrives after its owner lost the lease is corrected by that owner', async t => {
  const [serve] = pathA.targets
  const upstream = serve!.args('')[1]!
  let release = (): void => undefined
  const released = new Promise<void>(resolve => (release = resolve))
  const slow = await startHttpServer(t, {
    answer:
      index =>
      async (response, { body }) => {
        if (index === 0) await released
        const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
        const answer = await fetch(`${upstream}/api/ingest`, { method: 'POST', headers, body: body! })
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
      },
  })
  const target = {
    name: 'server',
    args: () => ['--server', slow.url],
    read: (sha: string) => readServer(upstream, sha),
  }
  const cell = await cellFor(t, 'arrives late', { name: 'a slow server', targets: [target] })
  const owner = startIn(cell, 'push', { leaseSeconds: LEASE_SECONDS })
  await untilDone(owner, () => slow.asked[0]?.body !== undefined)
  owner.child.kill('SIGSTOP')
  await untilStopped(owner)
  const expected = await overtake(t, cell)
  release()
  // The delivery that was sent first is applied last, so readers see old values for a moment.
  await waitUntil(async () => (await readServer(upstream, cell.sha)).get('changed') !== expected.get('changed'))
  owner.child.kill('SIGCONT')
  const { code, stderr, stdout } = await owner.result
  t.equal(code, 0, stderr)
  t.match(JSON.parse(stdout), { targets: [{ outbox: { audited: [{ event: 'overtaken' }], queued: 0 } }] })
  t.strictSame(await unlike(cell, expected, 'at last'), [])
  const found = await look(cell)
  t.strictSame(leftovers(found, cell.sha), [])
  t.strictSame(found.audit.map(({ event }) => event).sort(), ['overtaken', 'recovered'])
})

t.test('an owner may be paused at any step of its push', async t => {
  const all: Paused[] = []
  for (const set of sets)
    for (const step of await stepsOf('push', set, { scenario: 'paused', prepare: () => Promise.resolve() }))
      all.push({ step, cell: await cellFor(t, `${step} to ${set.name}`, set) })
  const some = isWhole ? all : new Random(SEED).shuffled(all).slice(0, PAUSED_STEPS)
  t.comment(`${some.length} of ${all.length} steps; TEST_SEED=${SEED} repeats them`)
  await fewAtATime(some, 4, async paused => {
    t.strictSame(await pauseAt(t, paused), [], `${paused.step} to ${paused.cell.set.name}`)
  })
})
