import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openLocalStorage } from '../../../src/storage/local/local.js'
import { resultOf, startWorker } from '../fixtures/processes.js'

const NOBODY = 65_534
const BODY = Buffer.from('body')

/** Lets root mount things that only its child sees. */
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

t.test('a folder that may not be written is told by its path, and can still be read', async t => {
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

t.test('a folder that may not be read is told, not taken for empty', async t => {
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
  'a full disk is told, keeps what was acknowledged whole, and is used again when there is room',
  { skip: noMounts },
  async t => {
    const full = await fillUnder(t, [...MOUNTS, 'sh', '-c', 'mount -t tmpfs -o size=6m none "$0" && exec "$@"'])
    t.match(full, { code: 'storage_failed', message: /: no space left$/, hint: /make room/ })
    t.ok(full.written > 2)
    t.strictSame([full.listed, full.whole, full.again], [full.written, full.written, true])
  },
)

t.test('a file that grows beyond its limit is told and leaves nothing', async t => {
  // The shell counts blocks of 512 or of 1024 bytes: bodies begin at 1,000,000. What tap puts into its children dies of
  // the signal that comes with it, which Node ignores.
  const limited = await fillUnder(t, ['sh', '-c', 'ulimit -f 700; unset NODE_OPTIONS; exec "$@"'])
  t.match(limited, { code: 'storage_failed', message: /: larger than a file may be$/, hint: /ulimit -f/ })
  t.strictSame([limited.written, limited.listed, limited.again], [0, 0, true])
})

t.test('a read-only file system is told as a denial', { skip: noMounts }, async t => {
  const denied = await fillUnder(t, [...MOUNTS, 'sh', '-c', 'mount -t tmpfs -o ro none "$0" && exec "$@"'])
  t.match(denied, { code: 'storage_denied', message: /: the file system is read-only$/, written: 0, listed: 0 })
})

/** @param under a command that takes the storage's folder as its first argument */
async function fillUnder(t: Test, under: readonly string[]): Promise<Filled> {
  const folder = openFolder(t)
  const worker = await startWorker(t, { kind: 'local', folder }, { do: 'fill' }, { under: [...under, folder] })
  worker.go()
  return resultOf(await worker.done) as Filled
}

/** Nothing is denied to root, who lends himself another name; all threads of the process have it then. */
async function asNobody(work: () => Promise<void>): Promise<void> {
  const isRoot = process.geteuid?.() === 0
  if (isRoot) process.seteuid?.(NOBODY)
  try {
    await work()
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
}

/** Outside the project, which others need not be let into. */
function openFolder(t: Test): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'vortex-ingest-storage-')))
  chmodSync(folder, 0o755)
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'here'))
  return join(folder, 'here')
}
