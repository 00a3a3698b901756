import { mkdirSync, readdirSync, renameSync, symlinkSync } from 'node:fs'
import { join, relative } from 'node:path'
import t from 'tap'
import { assertLockingSupported, assertUnlocked, lockFolder } from '../../../src/database/embedded/lock.js'
import { kill, run, startAndWait } from './fixtures/child.js'
import { emptyFolder } from './fixtures/folders.js'

t.test('the error for a locked folder names the process that holds it', async t => {
  const dir = emptyFolder(t)
  const holder = await startAndWait(t, 'lock', dir)

  await t.rejects(lockFolder(dir), {
    code: 'target_busy',
    message: new RegExp(`^the embedded database in ${dir} is in use by process ${holder.pid} \\(since 2\\S+Z\\)$`),
    hint: 'wait for it to finish, or use another folder; if it is `serve`, stop it or push to it with --server',
  })
})

t.test('kill -9 of the holder releases the lock at once, every time', async t => {
  const dir = emptyFolder(t)
  for (let round = 0; round < 3; round++) {
    const holder = await startAndWait(t, 'lock', dir)
    await t.rejects(lockFolder(dir), { code: 'target_busy' })
    await kill(holder)

    const lock = await lockFolder(dir)
    await lock.release()
  }
})

t.test('all paths to a folder share one lock, also after the folder was moved', async t => {
  const dir = emptyFolder(t)
  const [real, link] = [join(dir, 'real'), join(dir, 'link')]
  mkdirSync(real)
  symlinkSync('real', link)
  const lock = await lockFolder(real)

  for (const path of [link, relative('.', real), `${real}/`, `${real}/../link`])
    await t.rejects(lockFolder(path), { code: 'target_busy', message: new RegExp(`process ${process.pid} `) }, path)
  renameSync(real, join(dir, 'moved'))
  await t.rejects(lockFolder(join(dir, 'moved')), { code: 'target_busy' })
  await lock.release()
})

t.test('different folders have different locks, also a new folder at the path of a locked one', async t => {
  const dir = emptyFolder(t)
  const [one, two] = [join(dir, 'one'), join(dir, 'two')]
  mkdirSync(one)
  mkdirSync(two)
  const first = await lockFolder(one)
  const second = await lockFolder(two)
  renameSync(one, join(dir, 'elsewhere'))
  mkdirSync(one)
  const third = await lockFolder(one)

  for (const lock of [first, second, third]) await lock.release()
  t.strictSame(readdirSync(one), ['db.lock'], 'only the note of the last owner stays')
})

t.test('of many concurrent attempts exactly one gets the lock', async t => {
  const dir = emptyFolder(t)
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(dir)))
  const locks = results.filter(result => result.status === 'fulfilled').map(result => result.value)

  t.equal(locks.length, 1)
  await locks[0]?.release()
  await (await lockFolder(dir)).release()
})

t.test('checks that run at the same time, as those of doctor do, do not keep anybody from locking', async t => {
  const dir = emptyFolder(t)
  await (await lockFolder(dir)).release()
  for (let round = 0; round < 30; round++) {
    const checks = Array.from({ length: 4 }, () => assertUnlocked(dir).catch(() => undefined))
    await (await lockFolder(dir)).release()
    await Promise.all(checks)
  }
  t.pass('30 locks')
})

t.test('a held lock does not keep its process alive', async t => {
  const outcome = await run(t, 'lock', emptyFolder(t))
  t.strictSame(outcome, { stdout: 'ready\n', stderr: '', code: 0 })
})

t.test('a stopped holder keeps the lock, however long it stops', async t => {
  const dir = emptyFolder(t)
  const holder = await startAndWait(t, 'lock', dir)
  holder.kill('SIGSTOP')
  for (let round = 0; round < 5; round++) await t.rejects(lockFolder(dir), { code: 'target_busy' })
  holder.kill('SIGCONT')
  await t.rejects(lockFolder(dir), { code: 'target_busy' })
  await kill(holder)
  await (await lockFolder(dir)).release()
})

t.test('a machine without the command flock gives an error that says what to install', async t => {
  const path = process.env['PATH']
  t.teardown(() => (process.env['PATH'] = path))
  process.env['PATH'] = emptyFolder(t)
  const failure = { code: 'target_misconfigured', message: /cannot be locked: .*flock/, hint: /util-linux/ }
  await t.rejects(lockFolder(emptyFolder(t)), failure)
  await t.rejects(assertLockingSupported(), failure)
})

t.test('a platform without folder locks gives an error', async t => {
  t.intercept(process, 'platform', { value: 'win32' })
  await t.rejects(lockFolder(emptyFolder(t)), {
    code: 'target_misconfigured',
    message: 'the embedded database does not work on win32',
  })
})
