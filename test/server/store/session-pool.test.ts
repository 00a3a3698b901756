import t from 'tap'
import { SessionPool, type ClosableSession } from '../../../src/server/store/session-pool.js'

/** A session that answers until it is marked as lost. */
class Session implements ClosableSession {
  lost = false
  closed = false

  async query<Row extends object>(): Promise<readonly Row[]> {
    if (this.lost) throw new Error('lost')
    return []
  }

  async execute(): Promise<void> {
    await this.query()
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
  return { opened, sessions: new SessionPool(size, open) }
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
  const sessions = new SessionPool(1, async () => {
    if (++tries === 1) throw new Error('refused')
    return new Session()
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
  await new Promise(resolve => setImmediate(resolve))
  const closing = sessions.close()
  t.equal(opened[0]?.closed, false)
  release()
  await Promise.all([using, closing])
  t.equal(opened[0]?.closed, true)
})
