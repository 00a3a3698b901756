import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { openEmbedded } from '../../../src/database/embedded/session.js'
import { POSTGRES_MAJOR } from '../../../src/database/embedded/data-dir.js'
import { kill, run, start } from './fixtures/child.js'
import { noMounts, onReadOnlyDisk, onSmallDisk } from './fixtures/disks.js'
import { emptyFolder } from './fixtures/folders.js'
import { waitUntil } from '../../fixtures/wait-until.js'

async function version(dir: string): Promise<string | undefined> {
  const session = await openEmbedded(dir, { create: false })
  const [row] = await session.query<{ major: string }>(
    `SELECT (current_setting('server_version_num')::int / 10000)::text AS major`,
  )
  await session.close()
  return row?.major
}

t.test('a database is created with its parent folders, only accessible to its owner, and opens again', async t => {
  const dir = join(emptyFolder(t), 'not', 'there yet, é')
  const session = await openEmbedded(dir, { create: true })
  await session.execute('CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)')
  await session.close()

  t.equal(statSync(join(dir, 'db')).mode & 0o777, 0o700)
  t.equal(await version(dir), POSTGRES_MAJOR)
  const again = await openEmbedded(dir, { create: true })
  t.strictSame(await again.query('SELECT n FROM kept'), [{ n: 1 }])
  await again.close()
})

t.test('PGlite and its ready-made folder are of one version', async t => {
  const packages = join(createRequire(import.meta.url).resolve('@electric-sql/pglite'), '../../..')
  const versions = ['pglite', 'pglite-prepopulatedfs'].map(name => {
    const { version } = JSON.parse(readFileSync(join(packages, name, 'package.json'), 'utf8')) as { version: string }
    return version
  })
  t.equal(versions[0], versions[1])
})

t.test('opening, successful or not, prints nothing and does not keep the process alive', async t => {
  const dir = emptyFolder(t)
  t.strictSame(await run(t, 'create', dir), { stdout: 'ready\n', stderr: '', code: 0 })

  // Recovery and then a FATAL error, both of which start Postgres's timers.
  rmSync(join(dir, 'db/base/5/PG_VERSION'))
  const failed = await run(t, 'open', dir)
  t.match(failed, { stdout: /^target_misconfigured: cannot start .*PG_VERSION/, stderr: '', code: 0 })
})

t.test('kill -9 while a database is created leaves nothing that looks like a database', async t => {
  let unfinished = 0
  // Creation takes an unknown time, so repeat until it was killed in the middle.
  for (let tries = 0; tries < 4 || (unfinished === 0 && tries < 20); tries++) {
    const dir = emptyFolder(t)
    const child = start(t, 'create', dir)
    await waitUntil(() => existsSync(join(dir, 'db.new')) || existsSync(join(dir, 'db')), { pollMs: 1 })
    await setTimeout(10 * (tries % 4))
    await kill(child)
    if (!existsSync(join(dir, 'db'))) {
      unfinished++
      await t.rejects(openEmbedded(dir, { create: false }), { code: 'target_misconfigured', message: /no embedded/ })
    }

    await (await openEmbedded(dir, { create: true })).close()
    t.equal(await version(dir), POSTGRES_MAJOR)
    t.strictSame(readdirSync(dir).sort(), ['db', 'db.lock'], 'what was left is gone')
  }
  t.ok(unfinished > 0, 'killed before the end')
})

t.test('a disk that is too small gives one error, and nothing remains on it', { skip: noMounts }, async t => {
  const dir = emptyFolder(t)
  const { stdout } = await run(t, 'create', dir, { under: onSmallDisk(dir, 20) })

  const [error, ...left] = stdout.trim().split('\n')
  t.match(error, `target_misconfigured: the folder of the embedded database ${dir} has no disk space left: ENOSPC`)
  t.strictSame(left, ['db.lock'])
})

t.test('a missing database is only created on request, and a failed opening leaves no trace', async t => {
  const dir = emptyFolder(t)
  for (const path of [dir, join(dir, 'missing')])
    await t.rejects(openEmbedded(path, { create: false }), {
      code: 'target_misconfigured',
      message: `there is no embedded database in ${path}`,
      hint: '`vortex-ingest push …` makes one',
    })
  t.strictSame(readdirSync(dir), [])
})

t.test('a path that is not a folder, or is below a file, gives one clear error', async t => {
  const file = join(emptyFolder(t), 'file')
  writeFileSync(file, 'not a folder')
  const pipe = join(emptyFolder(t), 'pipe')
  execFileSync('mkfifo', [pipe])
  for (const path of [file, join(file, 'below'), pipe])
    for (const create of [true, false])
      await t.rejects(openEmbedded(path, { create }), {
        code: 'target_misconfigured',
        message: new RegExp(`^the folder of the embedded database ${path} is not a folder`),
      })
  await t.rejects(openEmbedded('/proc/nothing/is/made/here', { create: true }), {
    code: 'target_misconfigured',
    message: /^the folder of the embedded database \/proc\S* cannot be/,
  })
})

t.test('a folder that is not writable gives one clear error before the engine starts', async t => {
  const dir = emptyFolder(t)
  await (await openEmbedded(dir, { create: true })).close()
  chmodSync(join(dir, 'db'), 0o755)
  const below = join(dir, 'new')
  const denied = (path: string) =>
    new RegExp(`^target_misconfigured: the folder of the embedded database ${path} cannot be written: EACCES`)
  // For a user other than root, the chmod has the same effect as another owner for root's child.
  for (const path of [join(dir, 'db.lock'), dir]) chmodSync(path, path === dir ? 0o555 : 0o444)

  t.match(await run(t, 'open as nobody', dir), { stdout: denied(dir), stderr: '' })
  t.match(await run(t, 'create as nobody', below), { stdout: denied(below), stderr: '' })
  chmodSync(dir, 0o755)
})

t.test('a read-only file system gives one clear error', { skip: noMounts }, async t => {
  const dir = emptyFolder(t)
  await (await openEmbedded(dir, { create: true })).close()
  t.match(await run(t, 'open', dir, { under: onReadOnlyDisk(dir) }), {
    stdout: new RegExp(
      `^target_misconfigured: the folder of the embedded database ${dir} is on a read-only file system`,
    ),
  })
})
