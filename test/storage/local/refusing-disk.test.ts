import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openLocalStorage } from '../../../src/storage/local/local.js'
import { resultOf, startWorker } from '../fixtures/processes.js'

const NOBODY = 65_534
const BODY = Buffer.from('body')

/** Lets root mount file systems that only the child process sees. */
const MOUNTS = ['unshare', '--map-root-user', '--mount']
const noMounts =
  spawnSync('unshare', ['--map-root-user', '--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0
    ? false
    : 'needs unshare(1) and leave to mount a tmpfs'

type Filled = {
  readonly written: number
  readonly code: string
  readonly message: string
  readonly hint: string
  readonly listed: number
  readonly whole: number
  readonly again: boolean
}

t.test('a folder without write permission is reported by path and can still be read', async t => {
  const root = join(openFolder(t), 'root')
  const storage = await openLocalStorage(root)
  await storage.put('a/b', BODY)
  for (const folder of ['', '.tmp', 'a', 'a/b=']) chmodSync(join(root, folder), 0o555)
  t.teardown(() => chmodSync(root, 0o755))

  await asNobody(async () => {
    const other = await openLocalStorage(root)
    t.strictSame(await other.get('a/b'), BODY)
    t.equal((await other.list('')).objects.length, 1)
    const denied = { code: 'storage_denied', message: /root\/\S+: permission denied/, hint: /write permission/ }
    const { version } = (await other.getVersioned('a/b'))!
    await t.rejects(other.put('a/c', BODY), denied)
    await t.rejects(other.put('a/b', BODY), denied)
    await t.rejects(other.putIfMatch('a/b', BODY, version), denied)
    await t.rejects(other.delete('a/b'), denied)
    await t.rejects(other.deletePrefix('a/'), denied)
  })
  t.strictSame(await storage.get('a/b'), BODY, 'and nothing happened')
})

t.test('a folder without read permission is reported and does not look empty', async t => {
  const root = join(openFolder(t), 'root')
  const storage = await openLocalStorage(root)
  await storage.put('a/b', BODY)
  chmodSync(join(root, 'a'), 0)
  t.teardown(() => chmodSync(join(root, 'a'), 0o755))

  await asNobody(async () => {
    const other = await openLocalStorage(root)
    const denied = { code: 'storage_denied', message: /root\/a\S*: permission denied/ }
    await t.rejects(other.get('a/b'), denied)
    await t.rejects(other.list(''), denied)
    await t.rejects(other.putIfAbsent('a/b', BODY), denied)
  })
})

t.test(
  'a full disk is reported, keeps acknowledged objects complete, and is usable again once space is free',
  { skip: noMounts },
  async t => {
    const full = await fillUnder(t, [...MOUNTS, 'sh', '-c', 'mount -t tmpfs -o size=6m none "$0" && exec "$@"'])
    t.match(full, { code: 'storage_failed', message: /: no space left$/, hint: /free space/ })
    t.ok(full.written > 2)
    t.strictSame([full.listed, full.whole, full.again], [full.written, full.written, true])
  },
)

t.test('a file that exceeds the file size limit is reported and leaves nothing', async t => {
  // `ulimit -f` counts blocks of 512 or 1024 bytes, and bodies have at least 1,000,000 bytes. The limit raises a signal
  // that Node ignores but that kills the code that tap injects into child processes.
  const limited = await fillUnder(t, ['sh', '-c', 'ulimit -f 700; exec "$@"'])
  t.match(limited, { code: 'storage_failed', message: /: exceeds the maximum file size$/, hint: /ulimit -f/ })
  t.strictSame([limited.written, limited.listed, limited.again], [0, 0, true])
})

t.test('a read-only file system is reported as storage_denied', { skip: noMounts }, async t => {
  const denied = await fillUnder(t, [...MOUNTS, 'sh', '-c', 'mount -t tmpfs -o ro none "$0" && exec "$@"'])
  t.match(denied, { code: 'storage_denied', message: /: the file system is read-only$/, written: 0, listed: 0 })
})

/** Runs the `fill` task. @param under a command that gets the storage's folder as its first argument */
async function fillUnder(t: Test, under: readonly string[]): Promise<Filled> {
  const folder = openFolder(t)
  const worker = await startWorker(t, { kind: 'local', folder }, { do: 'fill' }, { under: [...under, folder] })
  worker.go()
  return resultOf(await worker.done) as Filled
}

/** Root is never denied access, so root switches to another user; this affects all threads of the process. */
async function asNobody(work: () => Promise<void>): Promise<void> {
  const isRoot = process.geteuid?.() === 0
  if (isRoot) process.seteuid?.(NOBODY)
  try {
    await work()
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
}

/** A folder outside the project, because other users may not be allowed into the project. */
function openFolder(t: Test): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'vortex-ingest-storage-')))
  chmodSync(folder, 0o755)
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'here'))
  return join(folder, 'here')
}
