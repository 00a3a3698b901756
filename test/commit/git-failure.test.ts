import { join } from 'node:path'
import t from 'tap'
import { readGitCommit, type GitCommitOptions } from '../../src/commit/git.js'
import { IngestError } from '../../src/errors.js'
import { commit, ENV, git, ORIGIN, repository, withProgram } from './fixtures/repository.js'

const repoUrl = ORIGIN
const env = ENV
const ABSENT = '0123456789012345678901234567890123456789'

async function failure(options: GitCommitOptions): Promise<Pick<IngestError, 'code' | 'message' | 'hint'>> {
  try {
    await readGitCommit({ repoUrl, env, ...options })
  } catch (error) {
    if (error instanceof IngestError) return { code: error.code, message: error.message, hint: error.hint }
    throw error
  }
  throw new Error('no failure')
}

t.test('a sha must be full and lowercase, and can never become an option', async t => {
  const dir = t.testdir()
  const sha = repository(dir)
  for (const bad of [
    sha.slice(0, 12),
    'ABCDEF'.padEnd(40, '0'),
    `--output=${dir}/x`,
    'HEAD',
    '',
    `${sha}\n`,
    ` ${sha}`,
  ]) {
    t.match(
      await failure({ sha: bad, gitDir: dir }),
      { code: 'usage', message: /40 lowercase hex digits, got "/, hint: /git rev-parse/ },
      JSON.stringify(bad),
    )
  }
})

t.test('outside of a repository the hint names three solutions', async t => {
  const dir = t.testdir({ plain: {} })
  const gitDir = join(dir, 'plain')

  t.strictSame(await failure({ gitDir, env: { ...env, GIT_CEILING_DIRECTORIES: dir } }), {
    code: 'commit_unknown',
    message: `${gitDir} is not a git repository`,
    hint: 'run inside the repository, name it with --git-dir DIR, or describe the commit with --commit FILE.json',
  })
  t.match(await failure({ env: { ...env, GIT_DIR: gitDir } }), { message: `${gitDir} is not a git repository` })
})

t.test('the error for a --git-dir that is not a directory says what it must be', async t => {
  const dir = t.testdir({ file: '' })
  for (const gitDir of [join(dir, 'missing'), join(dir, 'file'), '--version']) {
    t.match(await failure({ gitDir }), {
      code: 'commit_unknown',
      message: `${gitDir} is not a directory that git can enter`,
      hint: '--git-dir takes a directory: a work tree or a .git directory',
    })
  }
})

t.test('without git on the PATH the hint is to install it', async t => {
  t.match(await failure({ env: { PATH: t.testdir() } }), {
    code: 'git_failed',
    message: 'git is not installed, or not on the PATH',
    hint: /^install git, or .*--commit FILE\.json$/,
  })
})

t.test('a killed git is an error', async t => {
  t.match(await failure({ env: withProgram(t.testdir(), 'git', 'kill -9 $$') }), {
    code: 'git_failed',
    message: 'cannot run git: killed by SIGKILL',
  })
})

t.test('unexpected output of git is an error', async t => {
  t.match(await failure({ env: withProgram(t.testdir(), 'git', 'echo hello') }), {
    code: 'git_failed',
    message: 'git printed 1 fields of a commit instead of 8',
  })
})

t.test('a commit that a full clone lacks is fetched by name', async t => {
  const dir = t.testdir()
  repository(dir)

  t.strictSame(await failure({ sha: ABSENT, gitDir: dir }), {
    code: 'commit_unknown',
    message: `commit ${ABSENT} is not in this repository`,
    hint: `run \`git fetch origin ${ABSENT}\` in ${dir}, or describe the commit with --commit FILE.json`,
  })
})

t.test('a commit that a shallow clone lacks is fetched alone, and the hint works', async t => {
  const root = t.testdir()
  const sha = repository(join(root, 'full'), 'older')
  commit(join(root, 'full'), 'newer')
  git(root, ['clone', '--quiet', '--depth=1', `file://${root}/full`, join(root, 'shallow')])
  const gitDir = join(root, 'shallow')

  const { code, hint } = await failure({ sha, gitDir })

  t.equal(code, 'commit_unknown')
  t.equal(
    hint,
    `the clone is shallow: run \`git fetch --depth=1 origin ${sha}\` in ${gitDir}; ` +
      'in GitHub Actions give actions/checkout `fetch-depth: 0`',
  )
  git(gitDir, ['fetch', '--quiet', '--depth=1', 'origin', sha])
  t.match(await readGitCommit({ sha, gitDir, repoUrl, env }), { sha, message: 'older' })
})

t.test('the hint names no directory when none was named', async t => {
  const dir = t.testdir()
  repository(dir)

  const { hint } = await failure({ sha: ABSENT, env: { ...env, GIT_DIR: join(dir, '.git') } })

  t.match(hint, `run \`git fetch origin ${ABSENT}\`, or`)
})

t.test('a repository without a commit has no HEAD', async t => {
  const dir = t.testdir()
  git(dir, ['init', '--quiet'])

  t.match(await failure({ gitDir: dir }), {
    code: 'commit_unknown',
    message: 'HEAD names no commit',
    hint: /^commit first/,
  })
})

t.test('an object that is not a commit is rejected', async t => {
  const dir = t.testdir()
  const sha = repository(dir)
  git(dir, ['tag', '--annotate', 'v1', '-m', 'one'])
  const tag = git(dir, ['rev-parse', 'refs/tags/v1'])
  const tree = git(dir, ['rev-parse', 'HEAD^{tree}'])

  const ofTag = await failure({ sha: tag, gitDir: dir })
  t.match(ofTag, { code: 'commit_unknown', message: `${tag} is a tag of commit ${sha}, not a commit` })
  t.match(ofTag.hint, `use ${sha}`)
  t.match(await failure({ sha: tree, gitDir: dir }), { code: 'commit_unknown', message: `${tree} is not a commit` })
})

t.test('the error for a repository of another user has the command that trusts it', async t => {
  const dir = join(t.testdir(), "it's mine")
  repository(dir)
  const stranger = { ...env, GIT_TEST_ASSUME_DIFFERENT_OWNER: '1' }

  t.match(await failure({ gitDir: dir, env: stranger }), {
    code: 'git_failed',
    message: `git refuses ${dir}: it belongs to another user (dubious ownership)`,
    hint: `if you trust it, run: git config --global --add safe.directory '${dir.replace("'", "'\\''")}'`,
  })
})

t.test('the command is made up for an older git that does not print it', async t => {
  const older = withProgram(
    t.testdir(),
    'git',
    `echo "fatal: unsafe repository ('/r' is owned by someone else)" >&2; exit 128`,
  )

  t.match(await failure({ gitDir: '/r', env: older }), {
    code: 'git_failed',
    hint: 'if you trust it, run: git config --global --add safe.directory /r',
  })
})

t.test("git's error messages are English in every locale", async t => {
  const complaint = `[ "$LC_ALL" = C ] && echo 'fatal: not a git repository' >&2 || echo 'fatal: Kein Git-Repository' >&2`
  const german = { ...withProgram(t.testdir(), 'git', `${complaint}\nexit 128`), LC_ALL: 'de_DE.UTF-8' }

  t.match(await failure({ env: german }), { message: 'the current directory is not a git repository' })
})

t.test('any other error message of git is reported in one line, without trace output', async t => {
  const dir = t.testdir()
  repository(dir)
  git(dir, ['config', 'core.repositoryFormatVersion', '99'])

  t.match(await failure({ gitDir: dir, env: { ...env, GIT_TRACE: '1' } }), {
    code: 'git_failed',
    message: /^git cannot read the commit: Expected git repo version <= 1, found 99$/,
  })
})

t.test('a SHA-256 repository does not fit the contract', async t => {
  const dir = t.testdir()
  git(dir, ['init', '--quiet', '--object-format=sha256'])
  commit(dir, 'first')

  t.match(await failure({ gitDir: dir }), { code: 'commit_unknown', message: /SHA-256/ })
})

t.test('a commit without a usable date is refused, not stored', async t => {
  const dir = t.testdir()
  repository(dir)
  const tree = git(dir, ['rev-parse', 'HEAD^{tree}'])
  for (const date of ['1700000000 +9900', 'nonsense']) {
    const text = `tree ${tree}\nauthor a <a@b> 1700000000 +0000\ncommitter a <a@b> ${date}\n\nodd\n`
    const sha = git(dir, ['hash-object', '-t', 'commit', '-w', '--literally', '--stdin'], text)
    t.match(
      await failure({ sha, gitDir: dir }),
      { code: 'commit_unknown', message: /no usable committer date, got "/ },
      date,
    )
  }
})

t.test('the error for a missing or unusable remote suggests --repo-url and shows no credentials', async t => {
  const dir = t.testdir()
  repository(dir)
  const wanted = { code: 'commit_unknown', hint: 'give it with --repo-url https://HOST/OWNER/REPO' }

  t.match(await failure({ gitDir: dir, repoUrl: undefined }), { ...wanted, message: /has no remote "origin"/ })
  git(dir, ['remote', 'add', 'origin', '/srv/secret/repo.git'])
  const local = await failure({ gitDir: dir, repoUrl: undefined })
  t.match(local, { ...wanted, message: /address of the remote "origin" cannot be converted/ })
  const given = await failure({ gitDir: dir, repoUrl: 'ftp://user:secret@host/repo' })
  t.match(given, { code: 'usage', hint: /https:\/\/HOST\/OWNER\/REPO/ })
  t.notMatch(JSON.stringify([local, given]), /secret/)
})
