/**
 * Precision and recall of the detection of personal data, on a test set of planted addresses and tokens of published formats, and
 * of real texts without any. docs/data.md states the set.
 */

import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { findPersonalData } from '../../src/pii/detect.js'
import { projectFile } from '../fixtures/cli.js'
import { Random, SEED } from '../fixtures/random.js'
import { COMMIT, KIND_NAMES, line } from '../fixtures/records.js'

const random = new Random()

function pick<One>(from: ArrayLike<One>): One {
  return from[random.int(0, from.length - 1)]!
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
const WORD = `${LETTERS}0123456789`

function chars(length: number, alphabet = WORD): string {
  return Array.from({ length }, () => pick(alphabet)).join('')
}

const NAMES = ['jane', 'j.doe', 'Jane_Doe', 'doe+ci', '41898282+bot[bot]', 'zoë', 'x', 'first.middle.last', 'a-b']
const HOSTS = [
  'example.org',
  'mail.example.co.uk',
  'users.noreply.github.com',
  'bücher.de',
  'build-7.corp.internal',
  'mac.local',
]

const base64url = `${WORD}-_`

/** Formats as their issuers publish them. */
const PLANTED: Readonly<Record<string, () => string>> = {
  'e-mail address': () => `${pick(NAMES)}@${pick(HOSTS)}`,
  'GitHub token': () => `${pick(['ghp', 'gho', 'ghu', 'ghs', 'ghr'])}_${chars(36)}`,
  'GitHub fine-grained token': () => `github_pat_${chars(22)}_${chars(59)}`,
  'GitLab token': () => `glpat-${chars(20)}`,
  'npm token': () => `npm_${chars(36)}`,
  'PyPI token': () => `pypi-AgEIcHlwaS5vcmc${chars(90, base64url)}`,
  'Slack token': () => `xoxb-${chars(12, '123456789')}-${chars(12, '123456789')}-${chars(24)}`,
  'AWS access key id': () => `${pick(['AKIA', 'ASIA'])}${chars(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}`,
  'Google API key': () => `AIza${chars(35, base64url)}`,
  'Stripe key': () => `sk_live_${chars(24)}`,
  'SendGrid key': () => `SG.${chars(22)}.${chars(43)}`,
  'OpenAI key': () => `sk-proj-${chars(58)}T3BlbkFJ${chars(58)}`,
  'Anthropic key': () => `sk-ant-api03-${chars(93)}AA`,
  'Hugging Face token': () => `hf_${chars(34, LETTERS)}`,
  'Docker token': () => `dckr_pat_${chars(27)}`,
  'JSON web token': () => `eyJhbGciOiJIUzI1NiJ9.eyJ${chars(40)}.${chars(43, base64url)}`,
  'password in a URL': () => `postgres://bench:${chars(12)}@db.example.com/bench`,
  'private key': () => `-----BEGIN RSA PRIVATE KEY-----\n${chars(64)}\n-----END RSA PRIVATE KEY-----`,
}

const AROUND: readonly (readonly [string, string])[] = [
  ['', ''],
  ['Fix the reader, reported by ', ''],
  ['x86_64-unknown-linux-gnu (', ')'],
  ['{"contact":"', '","retries":3}'],
  ['Co-authored-by: Somebody <', '>'],
  ['token=', ' run=12'],
]

/** Real texts that are easily taken for personal data. */
const CLEAN = [
  ...['git@github.com:spiraldb/vortex', 'ssh://git@github.com/owner/repo', 'https://github.com/owner/repo/commit/main'],
  ...[
    'user@1.2.3',
    '@scope/package@4.5.6',
    'bench.yml@123456',
    'pkg@2.0.0-rc.alpha',
    'icon@2x.png',
    'results@v3.jsonl',
  ],
  ...[
    'actions/checkout@v4',
    'rust:1.80@sha256:0f1e2d',
    'x86_64-unknown-linux-gnu',
    'aarch64-apple-darwin',
    'c6i.4xlarge',
  ],
  ...[
    'postgres://bench_ingest@db.example.com/bench',
    'http://localhost:8080/@page',
    's3://bench/state',
    'a @ b',
    'P@50',
  ],
  ...[
    'gh-json-commits-gzip',
    'clickbench',
    'tpch sf=10',
    'vortex-file-compressed',
    'turboquant',
    'sk_buff',
    'npm_config_cache',
  ],
  ...['Merge pull request #123 from owner/branch', 'Bump serde from 1.0.1 to 1.0.2 (#99)', 'Revert "hf_transfer"'],
]

/** The texts of the records that are in the project: examples, golden vectors, and the outputs of other benchmark tools. */
function projectTexts(): readonly string[] {
  const files = ['examples', 'golden', 'test/fixtures/convert'].flatMap(folder =>
    readdirSync(projectFile(folder), { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile() && entry.name !== 'commit.json' && /\.(?:jsonl?|txt)$/.test(entry.name))
      .map(entry => `${entry.parentPath}/${entry.name}`),
  )
  return files.flatMap(file => readFileSync(file, 'utf8').split('\n').slice(0, 400))
}

t.test(`precision and recall on the test set (TEST_SEED=${SEED})`, async t => {
  const planted = Object.entries(PLANTED).flatMap(([format, make]) =>
    Array.from({ length: 50 }, (_, index) => {
      const [before, after] = AROUND[index % AROUND.length]!
      const secret = make()
      return { format, secret, start: before.length, text: `${before}${secret}${after}` }
    }),
  )
  const shas = Array.from({ length: 200 }, () => chars(40, '0123456789abcdef'))
  const clean = [...CLEAN, ...shas, ...KIND_NAMES.map(kind => line(kind)), COMMIT.url, ...projectTexts()]
  const found = await findPersonalData([...planted.map(({ text }) => text), ...clean])

  const isFound = planted.map(({ secret, start, format }, index) =>
    found[index]!.some(one =>
      format === 'password in a URL'
        ? one.start <= secret.indexOf('@') + start && one.end >= secret.indexOf('@') + start
        : one.start <= start && one.end >= start + secret.length,
    ),
  )
  const missed = planted.filter((_, index) => !isFound[index]!).map(({ format, text }) => `${format}: ${text}`)
  const wrong = clean.filter((_, index) => found[planted.length + index]!.length > 0)
  const hits = planted.length - missed.length
  const recall = hits / planted.length
  const precision = hits / (hits + wrong.length)
  t.comment(`${planted.length} planted, ${clean.length} without: recall ${recall}, precision ${precision}`)
  t.ok(clean.length > 500)
  t.ok(recall >= 0.98, missed.join('\n'))
  t.ok(precision >= 0.99, wrong.join('\n'))
})

t.test('names in trailers of a message are found, other words are not', async t => {
  const text = 'Read fewer bytes\n\nSigned-off-by: Jane Doe <jane@example.org>\nReviewed-by: nobody\n'
  const [found = []] = await findPersonalData([text])
  t.strictSame(
    found.map(({ rule, start, end }) => [rule, text.slice(start, end)]),
    [
      ['person-name', 'Jane Doe'],
      ['email', 'jane@example.org'],
    ],
  )
})

t.test('long texts take linear time', async t => {
  const long = ['a'.repeat(500_000), 'a.'.repeat(250_000), `${'a-by: b'.repeat(50_000)}@`, 'https://'.repeat(60_000)]
  const startedAt = performance.now()
  await findPersonalData(long)
  t.ok(performance.now() - startedAt < 20_000)
})
