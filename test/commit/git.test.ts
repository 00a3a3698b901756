import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readGitCommit } from '../../src/commit/git.js'
import { commit, ENV, git, ORIGIN, repository, withProgram } from './fixtures/repository.js'

const repoUrl = ORIGIN
const env = ENV

t.test('all nine fields of a commit and its parents come from git, the date in the committer’s own offset', async t => {
  const dir = t.testdir()
  const sha = repository(dir)

  t.strictSame(await readGitCommit({ sha, gitDir: dir, repoUrl, env }), {
    sha,
    timestamp: '2026-01-31T12:00:00+05:30',
    message: 'first',
    author_name: 'Zoë Żółć 李',
    author_email: 'zoe@example.org',
    committer_name: 'Merge "Bot" O\'Neil',
    committer_email: 'bot@example.org',
    tree_sha: git(dir, ['rev-parse', 'HEAD^{tree}']),
    url: `https://github.com/owner/repo/commit/${sha}`,
    ancestry: { parents: [], firstParents: [], isComplete: true },
  })
})

t.test('without a sha HEAD is read, and an older commit can be read by its sha', async t => {
  const dir = t.testdir()
  const older = repository(dir, 'older')
  const newer = commit(dir, 'newer')

  t.match(await readGitCommit({ gitDir: dir, repoUrl, env }), { sha: newer, message: 'newer' })
  t.match(await readGitCommit({ sha: older, gitDir: dir, repoUrl, env }), { sha: older, message: 'older' })
})

t.test('the message is the subject', async t => {
  const dir = t.testdir()
  repository(dir)
  const subjects = new Map([
    ['feat: one line\n\nA body\nof several lines.\n', 'feat: one line'],
    ['a subject\nfolded over two lines\n\nbody', 'a subject folded over two lines'],
    ['say "hi" \\n $(id) `id` %H %x00 \'x\'', 'say "hi" \\n $(id) `id` %H %x00 \'x\''],
    ['tab\there', 'tab\there'],
    ['\n\n  late start', '  late start'],
    ['emoji 🚀 and ünïcödé', 'emoji 🚀 and ünïcödé'],
    ['', ''],
  ])
  for (const [message, subject] of subjects) {
    commit(dir, message)
    t.equal((await readGitCommit({ gitDir: dir, repoUrl, env })).message, subject, JSON.stringify(message))
  }
})

t.test("a subject larger than a pipe's buffer is read completely", async t => {
  const dir = t.testdir()
  const subject = 'é'.repeat(1_500_000)
  repository(dir, subject)

  t.ok((await readGitCommit({ gitDir: dir, repoUrl, env })).message === subject)
})

t.test('a repository can be named by any of its directories', async t => {
  const root = t.testdir()
  const dir = join(root, 'work tree')
  const sha = repository(dir)
  mkdirSync(join(dir, 'src'))
  git(root, ['clone', '--quiet', '--bare', dir, join(root, 'bare.git')])
  git(dir, ['worktree', 'add', '--quiet', '--detach', join(root, 'second')])
  const places = ['work tree', 'work tree/.git', 'work tree/src', 'bare.git', 'second']

  for (const place of places) {
    t.equal((await readGitCommit({ gitDir: join(root, place), repoUrl, env })).sha, sha, place)
  }
  await t.test('also where safe.bareRepository requires an explicit name', async t => {
    const config = join(root, 'config')
    writeFileSync(config, '[safe]\nbareRepository = explicit\n')
    for (const place of places) {
      const careful = { ...env, GIT_CONFIG_GLOBAL: config }
      t.equal((await readGitCommit({ gitDir: join(root, place), repoUrl, env: careful })).sha, sha, place)
    }
  })
})

t.test('a named repository takes precedence over that of a surrounding git hook', async t => {
  const root = t.testdir()
  const named = repository(join(root, 'named'), 'named')
  const hook = repository(join(root, 'hook'), 'hook')
  const hookEnv = { ...env, GIT_DIR: join(root, 'hook/.git'), GIT_INDEX_FILE: join(root, 'hook/.git/index') }

  t.equal((await readGitCommit({ gitDir: join(root, 'named'), repoUrl, env: hookEnv })).sha, named)
  t.equal((await readGitCommit({ repoUrl, env: hookEnv })).sha, hook)
})

t.test('a file or a branch with the name of the revision does not interfere', async t => {
  const dir = t.testdir()
  const sha = repository(dir)
  writeFileSync(join(dir, 'HEAD^{commit}'), '')
  writeFileSync(join(dir, `${sha}^{commit}`), '')
  commit(dir, 'second')
  git(dir, ['update-ref', `refs/heads/${sha}`, 'HEAD'])

  t.equal((await readGitCommit({ sha, gitDir: dir, repoUrl, env })).message, 'first')
})

t.test('no configuration changes what is read', async t => {
  const dir = t.testdir()
  const gpg = `
case "$*" in *--verify*) echo 'gpg: hello'; echo 'gpg: hello' >&2; exit 0;; esac
cat > /dev/null
echo '[GNUPG:] SIG_CREATED ' >&2
printf -- '-----BEGIN PGP SIGNATURE-----\\n\\nx\\n-----END PGP SIGNATURE-----\\n'`
  const signing = withProgram(dir, 'gpg', gpg)
  repository(dir)
  git(dir, ['add', 'bin'])
  git(dir, ['config', 'gpg.program', join(dir, 'bin/gpg')])
  const sha = commit(dir, 'signé', ['-Skey'])
  git(dir, ['notes', 'add', '-m', 'a note'])
  const calm = await readGitCommit({ gitDir: dir, repoUrl, env: signing })
  const hostile = {
    'log.showSignature': 'true',
    'log.date': 'relative',
    'log.decorate': 'full',
    'log.mailmap': 'true',
    'color.ui': 'always',
    'core.pager': 'echo paged',
    'pager.show': 'true',
    'format.pretty': 'fuller',
    'notes.displayRef': 'refs/notes/*',
    'diff.external': 'echo diff',
    'i18n.logOutputEncoding': 'ISO-8859-1',
    'alias.show': 'status',
  }
  for (const [name, value] of Object.entries(hostile)) git(dir, ['config', name, value])
  writeFileSync(join(dir, '.mailmap'), 'Somebody Else <else@example.org> <zoe@example.org>\n')
  const noisy = {
    ...signing,
    GIT_PAGER: 'echo paged',
    GIT_TRACE: '1',
    GIT_EXTERNAL_DIFF: 'echo',
    LC_ALL: 'de_DE.UTF-8',
  }

  t.match(git(dir, ['show', '-s', 'HEAD']), 'gpg: hello', 'git itself does show the signature')
  t.match(calm, { sha, message: 'signé', author_name: 'Zoë Żółć 李' })
  t.strictSame(await readGitCommit({ gitDir: dir, repoUrl, env: noisy }), calm)
})

t.test('a commit written in Latin-1 is decoded', async t => {
  const dir = t.testdir()
  repository(dir)
  git(dir, ['config', 'i18n.commitEncoding', 'ISO-8859-1'])
  commit(dir, Buffer.from('déjà vu', 'latin1'))

  t.equal((await readGitCommit({ gitDir: dir, repoUrl, env })).message, 'déjà vu')
})

t.test('replacement objects are ignored', async t => {
  const dir = t.testdir()
  const measured = repository(dir, 'measured')
  git(dir, ['replace', measured, commit(dir, 'replacement')])

  t.equal((await readGitCommit({ sha: measured, gitDir: dir, repoUrl, env })).message, 'measured')
})

t.test('git runs twice, and a third time only if no repository address is given', async t => {
  const dir = t.testdir()
  const realGit = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim()
  const counting = withProgram(dir, 'git', `echo "$*" >> '${dir}/calls'\nexec '${realGit}' "$@"`)
  const calls = () => readFileSync(join(dir, 'calls'), 'utf8').trimEnd().split('\n')
  const sha = repository(dir)
  git(dir, ['remote', 'add', 'origin', 'git@gitlab.example:team/project.git'])

  await readGitCommit({ sha, gitDir: dir, repoUrl, env: counting })
  t.equal(calls().length, 2)

  const { url } = await readGitCommit({ sha, gitDir: dir, env: counting })
  t.equal(url, `https://gitlab.example/team/project/commit/${sha}`)
  t.equal(calls().length, 5)
  t.match(calls()[4], /remote get-url origin$/)
})

t.test('every notation of a remote is understood, and its credentials are removed', async t => {
  const dir = t.testdir()
  const sha = repository(dir)
  const url = `${ORIGIN}/commit/${sha}`

  t.equal((await readGitCommit({ gitDir: dir, repoUrl: 'git@github.com:owner/repo.git', env })).url, url)
  git(dir, ['config', 'url.https://x:secret@github.com/.insteadOf', 'gh:'])
  git(dir, ['remote', 'add', 'origin', 'gh:owner/repo.git'])
  t.equal((await readGitCommit({ gitDir: dir, env })).url, url)
})

t.test('an abort ends the git process and surfaces as its reason', async t => {
  const dir = t.testdir()
  const slow = withProgram(dir, 'git', `touch '${dir}/started'\nexec sleep 60`)
  const controller = new AbortController()
  const reason = new Error('stop')

  const reading = readGitCommit({ repoUrl, env: slow, signal: controller.signal })
  const started = setInterval(() => existsSync(join(dir, 'started')) && controller.abort(reason), 10)
  t.teardown(() => clearInterval(started))

  await t.rejects(reading, reason)
  await t.rejects(readGitCommit({ repoUrl, env, signal: controller.signal }), reason, 'nor does a later one start')
})
