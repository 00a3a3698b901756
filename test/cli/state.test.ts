import t from 'tap'
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openStorage } from '../../src/storage/open-storage.js'
import { runCli, type CliResult } from '../fixtures/cli.js'
import { schemaErrors } from './fixtures/schema.js'
import { jsonl, query, SHA, writeCommit, writeLines } from '../fixtures/records.js'

function state(cwd: string, ...args: readonly string[]): Promise<CliResult> {
  return runCli(['state', ...args], { cwd, env: { VORTEX_INGEST_STATE: 'state' } })
}

/** @returns the parsed document, which is as its schema says */
async function json<T>(cwd: string, args: readonly string[], exitCode = 0): Promise<T> {
  const { code, stdout, stderr } = await state(cwd, ...args, '--format', 'json')
  t.equal(code, exitCode, stderr)
  t.same(schemaErrors(`state-${args[0]}-report`, stdout), [], args.join(' '))
  return JSON.parse(stdout) as T
}

/** Several pushes of a file that grows, all delivered to an archive. */
async function pushed(cwd: string, pushes: number): Promise<void> {
  writeLines(cwd, 'results.jsonl', [])
  const args = ['push', 'results.jsonl', '--commit', writeCommit(cwd), '--state', 'state', '--archive', 'archive']
  for (let index = 0; index < pushes; index++) {
    appendFileSync(join(cwd, 'results.jsonl'), jsonl([query({ dataset: `d${index}` })]))
    const { code, stderr } = await runCli(args, { cwd })
    t.equal(code, 0, stderr)
  }
}

type Objects = { readonly objects: readonly { readonly key: string; readonly bytes: number }[] }

t.test('ls and get show the objects unchanged', async t => {
  const cwd = t.testdir({})
  await pushed(cwd, 1)
  const { objects } = await json<Objects>(cwd, ['ls'])
  t.match(
    objects.map(({ key }) => key.split('/')[0]),
    ['health', 'outbox', 'outbox', 'targets', 'watermarks'],
  )
  const human = await state(cwd, 'ls', 'outbox/')
  t.equal(human.code, 0)
  t.equal(human.stdout.trimEnd().split('\n').length, 2)
  t.match(human.stderr, /^2 objects, /)
  const head = await state(cwd, 'get', `outbox/${SHA}/head`)
  t.equal(Buffer.byteLength(head.stdout), objects.find(({ key }) => key.endsWith('/head'))?.bytes)
  t.match(JSON.parse(head.stdout), { version: 1, next: 2 })
  t.match(await json(cwd, ['get', `outbox/${SHA}/head`]), { encoding: 'utf8', body: head.stdout })
  const none = await state(cwd, 'get', 'nothing')
  t.match([none.code, none.stderr], [66, /there is no nothing in/])
})

t.test('prune and compact tidy up, and say nothing is to be done the next time', async t => {
  const cwd = t.testdir({})
  await pushed(cwd, 2)
  t.match(await json(cwd, ['prune', '--dry-run']), { dry_run: true, commits: [{ commit: SHA, records: 2, lost: [] }] })
  const removed = await state(cwd, 'prune')
  t.match([removed.code, removed.stdout], [0, /^removed 2 records of 1 commit \(/])
  t.match(await json(cwd, ['prune']), { commits: [], skipped: [] })
  t.match(await json(cwd, ['compact']), { commits: [], skipped: [] })
})

t.test('prune by force and by age names the targets that lose records', async t => {
  const cwd = t.testdir({ archive: 'a file in the way' })
  writeLines(cwd, 'results.jsonl', [query()])
  const args = ['results.jsonl', '--commit', writeCommit(cwd), '--state', 'state', '--archive', 'archive']
  t.equal((await runCli(['push', ...args], { cwd })).code, 75)
  const force = ['prune', '--force', '--older-than', '0m']
  t.match(await json(cwd, [...force, '--dry-run']), { commits: [{ lost: [{ records: 1 }] }] })
  const { code, stdout, stderr } = await state(cwd, ...force)
  t.equal(code, 0)
  t.match([stdout, stderr], [/^removed 1 record /, /^warning: archive:.* loses 1 of them$/m])
  const { stdout: status } = await runCli(['status', '--state', 'state', '--format', 'json'], { cwd })
  const { intents, audit } = JSON.parse(status) as { intents: readonly object[]; audit: readonly { event: string }[] }
  t.strictSame([intents, audit.map(({ event }) => event).sort()], [[], ['discarded', 'pruned']])
})

t.test('an exported state is imported elsewhere, and a cut one is not', async t => {
  const cwd = t.testdir({})
  await pushed(cwd, 1)
  const { objects } = await json<{ objects: number }>(cwd, ['export', 'all.jsonl'])
  t.match(await json(cwd, ['import', 'all.jsonl', '--state', 'new']), { objects })
  const [from, to] = await Promise.all([state(cwd, 'ls'), state(cwd, 'ls', '--state', 'new')])
  t.equal(to.stdout, from.stdout)
  const again = await state(cwd, 'import', 'all.jsonl', '--state', 'new')
  t.match([again.code, again.stderr], [2, /new already holds a state/])
  writeFileSync(join(cwd, 'cut.jsonl'), readFileSync(join(cwd, 'all.jsonl'), 'utf8').slice(0, -5))
  const cut = await state(cwd, 'import', 'cut.jsonl', '--state', 'other')
  t.match([cut.code, cut.stderr], [65, /cut\.jsonl is not a complete export of a state/])
  t.notOk(existsSync(join(cwd, 'other')) && readdirSync(join(cwd, 'other')).some(name => !name.startsWith('.')))
  const over = await state(cwd, 'export', 'all.jsonl')
  t.match([over.code, over.stderr], [2, /all\.jsonl already exists/])
  t.match((await state(cwd, 'import', 'none.jsonl', '--state', 'other')).code, 66)
})

t.test('reading commands work on a damaged state; writing commands stop and change nothing', async t => {
  const cwd = t.testdir({})
  await pushed(cwd, 1)
  const storage = await openStorage({ kind: 'local', folder: join(cwd, 'state') })
  const damaged = Buffer.from([0xff, 0x0a])
  await storage.put(`outbox/${SHA}/head`, damaged)
  t.equal((await state(cwd, 'ls')).code, 0)
  t.match(await json(cwd, ['get', `outbox/${SHA}/head`]), { encoding: 'base64', body: damaged.toString('base64') })
  t.equal((await state(cwd, 'export', 'all.jsonl')).code, 0)
  for (const command of ['prune', 'compact']) {
    const { code, stderr } = await state(cwd, command)
    t.match([code, stderr], [78, new RegExp(`outbox/${SHA}/head in .* is damaged`)], command)
  }
  t.same(await storage.get(`outbox/${SHA}/head`), damaged)
})

const MISTAKES: readonly [string, readonly string[], RegExp][] = [
  ['no state', ['ls', '--state', ''], /state|storage/],
  ['a state in memory', ['ls', '--state', 'memory:'], /in memory is gone/],
  ['an age without force', ['prune', '--older-than', '30d'], /go together/],
  ['force without an age', ['prune', '--force'], /go together/],
  ['an age that is none', ['prune', '--force', '--older-than', '30'], /an age such as 30d/],
  ['a command that there is not', ['remove'], /unknown command 'remove'\nhint: vortex-ingest state --help/],
  ['a flag that there is not', ['ls', '--all'], /unknown option '--all'\nhint: vortex-ingest state ls --help/],
]

for (const [name, args, says] of MISTAKES)
  t.test(`${name} is a usage error, and says where the help is`, async t => {
    const { code, stderr } = await state(t.testdir({}), ...args)
    t.equal(code, 2)
    t.match(stderr, says)
    t.match(stderr, /\nhint: /)
  })
