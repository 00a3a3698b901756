import t from 'tap'
import { openEmbedded } from '../../../src/database/embedded/session.js'
import { kill, run, startAndWait } from './fixtures/child.js'
import { noMounts, onSmallDisk } from './fixtures/disks.js'
import { emptyFolder } from './fixtures/folders.js'

t.test(
  'kill -9 in a transaction loses only that transaction, and a second process can open the database at once',
  async t => {
    const dir = emptyFolder(t)
    const holder = await startAndWait(t, 'transaction', dir)
    await t.rejects(openEmbedded(dir, { create: true }), {
      code: 'target_busy',
      message: new RegExp(`process ${holder.pid} `),
    })
    await kill(holder)

    const session = await openEmbedded(dir, { create: false })
    t.strictSame(await session.query('SELECT n FROM kept'), [{ n: 1 }])
    await session.execute('INSERT INTO kept VALUES (3)')
    await session.close()
  },
)

t.test(
  'a disk that fills up in the middle: an error, and all that was committed is there',
  { skip: noMounts },
  async t => {
    const dir = emptyFolder(t)
    const { stdout } = await run(t, 'fill', dir, { under: onSmallDisk(dir, 90) })
    t.match(stdout, /^committed (\d+), then target_failed: .*No space left on device; after it \1\n/)
  },
)
