import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { SessionPool, Slots } from '../../src/database/session-pool.js'
import { IngestError } from '../../src/errors.js'
import type { ClosableSession } from '../../src/database/session.js'

/** A session that answers until it is marked as lost. */
class Session implements ClosableSession {
  lost = false
  closed = false

  async query<Row extends object>(): Promise<readonly Row[]> {
    if (this.lost) throw new Error('lost')
    return []
  }

  async execute(): Promise<readonly object[]> {
    return this.query()
  }

  async pipeline(): Promise<[]> {
    await this.query()
    return []
  }

  async copyIn(): Promise<void> {
    await this.query()
  }

  async close(): Promise<void> {
    this.closed = true
  }
}

function pool(size: number): { readonly opened: Session[]; readonly sessions: SessionPool<Session> } {
  const opened: Session[] = []
  const open = async (): Promise<Session> => {
    opened.push(new Session())
    return opened.at(-1)!
  }
  return { opened, sessions: new SessionPool({ size, open }) }
}

t.test('a session is used again, also after a statement that failed', async t => {
  const { opened, sessions } = pool(2)
  await sessions.use(session => session.query())
  await t.rejects(
    sessions.use(() => Promise.reject(new Error('a bad statement'))),
    { message: 'a bad statement' },
  )
  await sessions.use(session => session.query())
  t.equal(opened.length, 1)
  await sessions.close()
  t.ok(opened.every(({ closed }) => closed))
})

t.test('a lost session is replaced, and idle ones with it', async t => {
  const { opened, sessions } = pool(2)
  await Promise.all([1, 2].map(() => sessions.use(session => session.query())))
  for (const session of opened) session.lost = true
  await t.rejects(
    sessions.use(session => session.query()),
    { message: 'lost' },
  )
  await sessions.use(session => session.query())
  t.strictSame(
    opened.map(({ closed }) => closed),
    [true, true, false],
  )
})

t.test('a database that cannot be reached is asked again the next time', async t => {
  let tries = 0
  const sessions = new SessionPool({
    size: 1,
    open: async () => {
      if (++tries === 1) throw new Error('refused')
      return new Session()
    },
  })
  await t.rejects(
    sessions.use(session => session.query()),
    { message: 'refused' },
  )
  await sessions.use(session => session.query())
  t.equal(tries, 2)
})

t.test('closing waits for running work', async t => {
  const { opened, sessions } = pool(1)
  let release = (): void => undefined
  const using = sessions.use(() => new Promise<void>(resolve => (release = resolve)))
  await setImmediate()
  const closing = sessions.close()
  t.equal(opened[0]?.closed, false)
  release()
  await Promise.all([using, closing])
  t.equal(opened[0]?.closed, true)
})

t.test('so many run at once, the others in the order they came', async t => {
  const slots = new Slots(2)
  const started: number[] = []
  let running = 0
  let most = 0
  const work = (number: number) => async (): Promise<number> => {
    started.push(number)
    most = Math.max(most, ++running)
    await setImmediate()
    running--
    return number
  }
  const results = await Promise.all([0, 1, 2, 3, 4, 5].map(number => slots.run(work(number))))
  t.strictSame(results, [0, 1, 2, 3, 4, 5])
  t.strictSame(started, [0, 1, 2, 3, 4, 5])
  t.equal(most, 2)
})

t.test('failed work frees its slot like successful work', async t => {
  const slots = new Slots(1)
  await t.rejects(
    slots.run(() => Promise.reject(new Error('no'))),
    { message: 'no' },
  )
  t.equal(await slots.run(() => Promise.resolve(1)), 1)
})

t.test('empty waits for the last one, those that wait included', async t => {
  const slots = new Slots(1)
  await slots.empty()
  let done = 0
  for (let number = 0; number < 3; number++) void slots.run(async () => void (await setImmediate(), done++))
  await slots.empty()
  t.equal(done, 3)
})

const INSTANT = { random: () => 0, sleep: async () => undefined, now: () => 0 }
const CONFLICT = Object.assign(new Error('deadlock'), { code: '40P01' })
const LOST = new IngestError('target_unreachable', 'the connection was lost')

/** A pool that reconnects once, and work that fails with these errors before it succeeds. */
function failing(errors: readonly Error[]): {
  readonly opened: Session[]
  readonly done: Promise<number>
  retries: Error[]
} {
  const opened: Session[] = []
  const open = async (): Promise<Session> => {
    opened.push(new Session())
    return opened.at(-1)!
  }
  const retry = { reconnect: { attempts: 2, baseDelayMs: 1, maxDelayMs: 1 }, tools: INSTANT }
  const left = [...errors]
  const retries: Error[] = []
  const work = async (session: Session): Promise<number> => {
    const error = left.shift()
    if (error === undefined) return opened.indexOf(session) + 1
    session.lost = error === LOST
    throw error
  }
  const done = new SessionPool({ size: 1, open, retry }).transact(work, ({ error }) => retries.push(error as Error))
  return { opened, done, retries }
}

t.test(
  'a transaction is repeated in the same session after a conflict, and in a new one after a lost connection',
  async t => {
    const { done, retries } = failing([CONFLICT, LOST, CONFLICT])
    t.equal(await done, 2)
    t.strictSame(retries, [CONFLICT, LOST, CONFLICT])
  },
)

t.test('a transaction is not repeated more often than allowed, nor after another error', async t => {
  await t.rejects(failing([LOST, LOST]).done, LOST)
  const other = failing([new Error('a bad statement')])
  await t.rejects(other.done, { message: 'a bad statement' })
  t.strictSame([other.opened.length, other.retries], [1, []])
})
