/** The filter that masks or drops personal data in commits and record lines. */

import t from 'tap'
import { piiFilter, type PiiFilter } from '../../src/pii/pii-filter.js'
import { chunkReader } from '../../src/source/byte-reader.js'
import { lineBlocks } from '../../src/source/lines.js'
import { COMMIT, KIND_NAMES, line } from '../fixtures/records.js'

const KEY = 'a key of more than 16 characters'

function filter(mode: 'mask' | 'drop', key = KEY): PiiFilter {
  return piiFilter({ mode, key })!
}

async function throughLines(text: string, pii: PiiFilter, blockBytes = 256 * 1024): Promise<string> {
  const chunks = async function* (): AsyncGenerator<Buffer> {
    yield Buffer.from(text)
  }
  const limits = { blockBytes, maxLineBytes: 1024 * 1024 }
  const blocks = lineBlocks(
    chunkReader(chunks(), () => Promise.resolve()),
    limits,
  )
  let [result, at] = ['', 0]
  for await (const { bytes, firstByte } of pii.lines(blocks, 'test')) {
    if (firstByte !== at) throw new Error(`a block begins at ${firstByte}, not at ${at}`)
    at += bytes.length
    result += bytes.toString()
  }
  return result
}

t.test(
  'only the lines with personal data change, every other byte stays, and so does the number of each line',
  async t => {
    const odd = ` {"kind":"compression_size", "commit_sha":"${COMMIT.sha}","dataset":"caf\\u00e9","format":"x","value_bytes":9223372036854775807} \r`
    const personal = line('random_access_time', { env_triple: '"a\\u0040b, mail jane\\u0040example.org \\" ok"' })
    const lines = ['', odd, personal, '', ...KIND_NAMES.map(kind => line(kind)), personal]
    for (const blockBytes of [64, 4096, 256 * 1024]) {
      const result = (await throughLines(lines.join('\n'), filter('drop'), blockBytes)).split('\n')
      t.equal(result.pop(), '', 'the last line ends with a line feed')
      const dropped = personal.replace(/jane\\u0040example\.org/, '[removed]').replace('a\\u0040b', 'a@b')
      t.strictSame(result, ['', odd, dropped, '', ...KIND_NAMES.map(kind => line(kind)), dropped])
    }
  },
)

t.test(
  'the same value has the same hash under one key, wherever it occurs, and another hash under another key',
  async t => {
    const commit = { ...COMMIT, committer_name: COMMIT.author_name, committer_email: COMMIT.author_email.toUpperCase() }
    const one = await filter('mask').commit({ ...commit, message: `by ${COMMIT.author_email}` })
    t.equal(one.author_name, one.committer_name)
    t.equal(one.author_email, one.committer_email)
    t.equal(one.message, `by ${one.author_email}`)
    t.notSame(one.author_email, (await filter('mask').commit(COMMIT)).committer_email)
    t.notSame(one.author_name, (await filter('mask', `${KEY} two`).commit(COMMIT)).author_name)
    t.match(one, { sha: COMMIT.sha, tree_sha: COMMIT.tree_sha, timestamp: COMMIT.timestamp, url: COMMIT.url })
  },
)

t.test('a filter changes nothing in its own result, and dropping leaves no hash', async t => {
  const token = 'ghp_0123456789abcdefghijABCDEFGHIJ012345'
  const texts = [`at https://user:pa55word99@example.org/x and amqp://u:s3cret99@h/q`, `${token} eve@example.com`]
  const message = [...texts, 'Signed-off-by: Eve <eve@example.com>'].join('\n')
  const url = `https://${token}@github.com/o/r/commit/${COMMIT.sha}`
  for (const mode of ['mask', 'drop'] as const) {
    const once = await filter(mode).commit({ ...COMMIT, message, url })
    t.strictSame(await filter(mode).commit(once), once)
    t.notMatch(JSON.stringify(once), /pa55word99|s3cret99|eve@|Eve|ghp_/i)
  }
  const masked = await filter('mask').commit({ ...COMMIT, message, url })
  t.notMatch(JSON.stringify(await filter('drop').commit(masked)), /masked|[0-9a-f]{16}@/)
})

t.test('a commit without names stays without names', async t => {
  const nameless = { ...COMMIT, author_name: '', author_email: '', committer_name: '', committer_email: '' }
  t.strictSame(await filter('mask').commit(nameless), nameless)
})

t.test('keep needs no filter, and mask needs a key', async t => {
  t.equal(piiFilter({ mode: 'keep' }), undefined)
  t.equal(piiFilter({}), undefined)
  t.throws(() => piiFilter({ mode: 'mask' }), { code: 'config_invalid' })
  t.throws(() => piiFilter({ mode: 'mask', key: 'short' }), { code: 'config_invalid' })
})
