import t from 'tap'
import { assertUnlocked, lockFolder } from '../../../src/database/embedded/lock.js'
import { kill, run, startAndWait } from './fixtures/child.js'
import { noMounts } from './fixtures/disks.js'
import { emptyFolder } from './fixtures/folders.js'
import { inBindMount, NAMESPACES } from './fixtures/namespaces.js'

for (const [kind, { command, skip }] of Object.entries(NAMESPACES))
  t.test(`a lock excludes processes in another ${kind} namespace, in both directions`, { skip }, async t => {
    const dir = emptyFolder(t)
    const holder = await startAndWait(t, 'lock', dir, { under: command })
    await t.rejects(lockFolder(dir), { code: 'target_busy', message: /in use by process/ })
    await t.rejects(assertUnlocked(dir), { code: 'target_busy' })
    await kill(holder)

    const lock = await lockFolder(dir)
    t.match((await run(t, 'lock', dir, { under: command })).stdout, /^target_busy: .* in use by process \d+ /)
    await lock.release()
    t.equal((await run(t, 'lock', dir, { under: command })).stdout, 'ready\n')
  })

t.test('a bind mount of a folder shares its lock', { skip: noMounts }, async t => {
  const [dir, mounted] = [emptyFolder(t), emptyFolder(t)]
  const under = inBindMount(dir, mounted)
  const holder = await startAndWait(t, 'lock', mounted, { under })
  await t.rejects(lockFolder(dir), { code: 'target_busy' })
  await kill(holder)

  const lock = await lockFolder(dir)
  t.match((await run(t, 'lock', mounted, { under })).stdout, /^target_busy: /)
  await lock.release()
})
