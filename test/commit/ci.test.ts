import t from 'tap'
import { detectCi } from '../../src/commit/ci.js'

const SHA = '2b1a004c0ffee00000000000000000000000abcd'

const GITHUB = {
  CI: 'true',
  GITHUB_ACTIONS: 'true',
  GITHUB_SHA: SHA,
  GITHUB_SERVER_URL: 'https://github.com',
  GITHUB_REPOSITORY: 'owner/repo',
  GITHUB_WORKFLOW: 'Benchmarks',
  GITHUB_WORKFLOW_REF: 'owner/repo/.github/workflows/bench.yml@refs/heads/x',
  GITHUB_RUN_ID: '1234567890',
}

t.test('GitHub Actions: the benchmark is the workflow file and the run', async t => {
  t.strictSame(detectCi(GITHUB), {
    name: 'GitHub Actions',
    sha: SHA,
    repoUrl: 'https://github.com/owner/repo',
    benchmarkId: 'bench.yml@1234567890',
  })
})

t.test('GitHub Actions: a ref with slashes and @ leaves the file name alone', async t => {
  const files = {
    'owner/repo/.github/workflows/bench.yaml@refs/heads/a/b': 'bench.yaml',
    'owner/repo/.github/workflows/bench.yml@refs/heads/user@host/other.yml@v2': 'bench.yml',
    'owner/my.yml.repo/.github/workflows/a b.yml@refs/tags/v1': 'a b.yml',
  }
  for (const [ref, file] of Object.entries(files)) {
    t.equal(detectCi({ ...GITHUB, GITHUB_WORKFLOW_REF: ref })?.benchmarkId, `${file}@1234567890`, ref)
  }
})

t.test('the attempt of a run is known where the service numbers runs and attempts', async t => {
  const { attempt } = detectCi({ ...GITHUB, GITHUB_RUN_ATTEMPT: '3' }) ?? {}
  t.match(attempt, { run: 1234567890, attempt: 3 })
  t.equal(attempt?.producer, `GitHub Actions ${detectCi(GITHUB)?.repoUrl}`)
  t.equal(detectCi(GITHUB)?.attempt, undefined, 'no attempt')
  for (const wrong of ['', 'x', '-1', '9'.repeat(20)])
    t.equal(detectCi({ ...GITHUB, GITHUB_RUN_ATTEMPT: wrong })?.attempt, undefined, wrong)
  const buildkite = {
    BUILDKITE: 'true',
    BUILDKITE_PIPELINE_ID: 'p',
    BUILDKITE_LABEL: 'bench',
    BUILDKITE_BUILD_NUMBER: '5',
    BUILDKITE_RETRY_COUNT: '0',
  }
  t.strictSame(detectCi(buildkite)?.attempt, { producer: 'Buildkite p bench', run: 5, attempt: 0 })
})

t.test('GitHub Actions: missing values are left out', async t => {
  const without = (...names: (keyof typeof GITHUB)[]) =>
    detectCi({ ...GITHUB, ...Object.fromEntries(names.map(name => [name, undefined])) })

  t.equal(without('GITHUB_RUN_ID')?.benchmarkId, 'bench.yml')
  t.equal(without('GITHUB_WORKFLOW_REF')?.benchmarkId, 'Benchmarks@1234567890')
  t.equal(without('GITHUB_WORKFLOW_REF', 'GITHUB_WORKFLOW')?.benchmarkId, '1234567890')
  t.equal(without('GITHUB_REPOSITORY')?.repoUrl, undefined)
  t.equal(without('GITHUB_SERVER_URL')?.repoUrl, undefined)
  t.strictSame(detectCi({ GITHUB_ACTIONS: 'true' }), { name: 'GitHub Actions' })
})

t.test('GitLab: the benchmark is the job and the pipeline', async t => {
  const gitlab = {
    CI: 'true',
    GITLAB_CI: 'true',
    CI_COMMIT_SHA: SHA,
    CI_PROJECT_URL: 'https://gitlab.example:8443/group/project',
    CI_JOB_NAME: 'bench: [nvme]',
    CI_PIPELINE_ID: '77',
    CI_JOB_ID: '99',
  }
  t.strictSame(detectCi(gitlab), {
    name: 'GitLab CI',
    sha: SHA,
    repoUrl: 'https://gitlab.example:8443/group/project',
    benchmarkId: 'bench: [nvme]@77',
    attempt: { producer: 'GitLab CI https://gitlab.example:8443/group/project bench: [nvme]', run: 77, attempt: 99 },
  })
  t.equal(detectCi({ ...gitlab, CI_PIPELINE_ID: undefined })?.benchmarkId, 'bench: [nvme]@99')
})

t.test('Buildkite: an ssh remote becomes a page, and the word HEAD is no sha', async t => {
  const buildkite = {
    CI: 'true',
    BUILDKITE: 'true',
    BUILDKITE_COMMIT: SHA,
    BUILDKITE_REPO: 'git@github.com:owner/repo.git',
    BUILDKITE_PIPELINE_SLUG: 'bench',
    BUILDKITE_BUILD_ID: '0190-abc',
  }
  const run = { name: 'Buildkite', repoUrl: 'https://github.com/owner/repo', benchmarkId: 'bench@0190-abc' }

  t.strictSame(detectCi(buildkite), { ...run, sha: SHA })
  t.strictSame(detectCi({ ...buildkite, BUILDKITE_COMMIT: 'HEAD' }), run)
})

t.test('CircleCI: the benchmark is the job and the workflow', async t => {
  const circle = {
    CI: 'true',
    CIRCLECI: 'true',
    CIRCLE_SHA1: SHA,
    CIRCLE_REPOSITORY_URL: 'git@github.com:owner/repo.git',
    CIRCLE_JOB: 'bench',
    CIRCLE_WORKFLOW_ID: 'w-1',
  }
  t.strictSame(detectCi(circle), {
    name: 'CircleCI',
    sha: SHA,
    repoUrl: 'https://github.com/owner/repo',
    benchmarkId: 'bench@w-1',
  })
})

t.test('an unknown CI is detected as CI without details', async t => {
  for (const CI of ['true', '1', 'TRUE', 'woodpecker']) {
    t.strictSame(detectCi({ CI, GITHUB_SHA: SHA, CI_COMMIT_SHA: SHA }), { name: 'unknown CI' }, CI)
  }
})

t.test('outside of CI there is no run', async t => {
  for (const CI of [undefined, '', ' ', 'false', 'False', '0']) {
    t.equal(detectCi({ CI, GITHUB_SHA: SHA, GITHUB_RUN_ID: '1' }), undefined, JSON.stringify(CI))
  }
  t.equal(detectCi({ GITHUB_ACTIONS: 'false', GITLAB_CI: '', BUILDKITE: '0' }), undefined)
})

t.test('CI=false, which quiets other tools, does not hide the service', async t => {
  t.equal(detectCi({ ...GITHUB, CI: 'false' })?.name, 'GitHub Actions')
})

t.test('a sha that is not 40 hex digits is ignored, and case does not matter', async t => {
  for (const sha of ['', 'HEAD', SHA.slice(1), `${SHA}0`, `--${SHA.slice(2)}`, `${SHA.slice(1)}g`, `${SHA}\n${SHA}`]) {
    t.equal(detectCi({ ...GITHUB, GITHUB_SHA: sha })?.sha, undefined, JSON.stringify(sha))
  }
  t.equal(detectCi({ ...GITHUB, GITHUB_SHA: ` ${SHA.toUpperCase()}\n` })?.sha, SHA)
})

t.test('credentials and control characters are removed', async t => {
  const run = detectCi({
    ...GITHUB,
    GITHUB_SERVER_URL: 'https://user:secret@github.com',
    GITHUB_WORKFLOW_REF: undefined,
    GITHUB_WORKFLOW: ' nightly\u001b[2J\r\nbench ',
  })
  t.equal(run?.repoUrl, 'https://github.com/owner/repo')
  t.equal(run?.benchmarkId, 'nightly [2J bench@1234567890')
  t.equal(detectCi({ ...GITHUB, GITHUB_REPOSITORY: 'owner/repo\nx' })?.repoUrl, undefined)
  t.equal(
    detectCi({ ...GITHUB, GITHUB_WORKFLOW_REF: 'o/r/.github/workflows/a\u001b.yml@refs/heads/x' })?.benchmarkId,
    'a .yml@1234567890',
  )
})
