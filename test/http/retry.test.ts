import t from 'tap'
import { withRetry, type Retry, type RetryPolicy } from '../../src/http/retry.js'

const POLICY: RetryPolicy = { attempts: 5, baseDelayMs: 100, maxDelayMs: 300 }

type World = { readonly tried: number; readonly retries: readonly Retry[]; readonly ended: unknown }

/** Work that fails with its number, `failures` times, on a clock that only waiting moves. */
async function run(
  failures: number,
  changes: Partial<RetryPolicy> = {},
  more: {
    readonly random?: number
    readonly mayRetry?: (error: unknown) => boolean | number
    readonly workMs?: number
  } = {},
): Promise<World> {
  const { random = 1, mayRetry = () => true, workMs = 0 } = more
  let [clock, tried] = [1_000_000, 0]
  const retries: Retry[] = []
  const work = async (): Promise<string> => {
    clock += workMs
    if (tried++ < failures) throw new Error(`failure ${tried}`)
    return 'done'
  }
  const tools = {
    random: () => random,
    now: () => clock,
    sleep: async (delayMs: number): Promise<void> => {
      if (retries.at(-1)?.waitMs !== delayMs) throw new Error('a wait must be told before it starts')
      clock += delayMs
    },
  }
  const policy = { ...POLICY, ...changes }
  const ended: unknown = await withRetry(work, {
    policy,
    tools,
    mayRetry,
    onRetry: one => retries.push(one),
  }).catch((error: unknown) => error)
  return { tried, retries, ended }
}

const waits = ({ retries }: World): readonly number[] => retries.map(({ waitMs }) => waitMs)

t.test('work that succeeds is not retried', async t => {
  t.strictSame(await run(0), { tried: 1, retries: [], ended: 'done' })
})

t.test('waits are a random part of a limit that doubles up to a maximum', async t => {
  t.strictSame(waits(await run(4)), [100, 200, 300, 300])
  t.strictSame(waits(await run(4, {}, { random: 0.5 })), [50, 100, 150, 150])
  t.strictSame(waits(await run(4, {}, { random: 0 })), [0, 0, 0, 0])
})

t.test('after the last attempt the last failure is thrown', async t => {
  const world = await run(9)
  t.equal(world.tried, 5)
  t.match(world.ended, { message: 'failure 5' })
  t.match(world.retries, [{ error: { message: 'failure 1' } }, {}, {}, { error: { message: 'failure 4' } }])
})

t.test('a permanent failure is not retried', async t => {
  const world = await run(9, {}, { mayRetry: error => (error as Error).message !== 'failure 2' })
  t.equal(world.tried, 2)
  t.match(world.ended, { message: 'failure 2' })
})

t.test('a wait that the failure demands is the minimum wait', async t => {
  t.strictSame(waits(await run(2, {}, { mayRetry: () => 250 })), [250, 250])
  t.strictSame(waits(await run(3, {}, { mayRetry: () => 150 })), [150, 200, 300])
})

t.test('the deadline counts from the first failure, and no attempt starts after it', async t => {
  t.equal((await run(9, { deadlineMs: 300 })).tried, 3)
  t.equal((await run(9, { deadlineMs: 299 })).tried, 2)
  t.equal((await run(9, { deadlineMs: 99 })).tried, 1)
  t.equal(
    (await run(1, { deadlineMs: 1_000 }, { workMs: 60_000 })).ended,
    'done',
    'a second attempt follows a long first one',
  )
  t.equal((await run(9, { deadlineMs: 1_000 }, { workMs: 60_000 })).tried, 2)
})
