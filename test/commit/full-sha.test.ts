import t from 'tap'
import { isFullSha } from '../../src/contract/commit.js'

t.test('a full sha is 40 lowercase hex digits and nothing else', async t => {
  const sha = '0123456789abcdef0123456789abcdef01234567'
  t.ok(isFullSha(sha))
  for (const other of ['', sha.slice(1), `${sha}8`, sha.toUpperCase(), `${sha}\n`, ` ${sha}`, sha.replace('a', 'g')]) {
    t.notOk(isFullSha(other), JSON.stringify(other))
  }
})
