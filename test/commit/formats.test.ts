import t from 'tap'
import { isFullSha, isTimestamp } from '../../src/commit/formats.js'

t.test('a full sha is 40 lowercase hex digits and nothing else', async t => {
  const sha = '0123456789abcdef0123456789abcdef01234567'
  t.ok(isFullSha(sha))
  for (const other of ['', sha.slice(1), `${sha}8`, sha.toUpperCase(), `${sha}\n`, ` ${sha}`, sha.replace('a', 'g')]) {
    t.notOk(isFullSha(other), JSON.stringify(other))
  }
})

t.test('a timestamp is RFC 3339', async t => {
  const good = [
    '2026-01-31T12:00:00Z',
    '2026-01-31t12:00:00z',
    '2026-01-31T12:00:00+00:00',
    '2026-01-31T23:59:60-08:00',
    '2026-01-31T12:00:00.123456789+05:45',
    '2024-02-29T00:00:00Z',
    '2000-02-29T00:00:00Z',
    '0001-01-01T00:00:00Z',
    '9999-12-31T23:59:59+14:00',
  ]
  for (const text of good) t.ok(isTimestamp(text), text)
})

t.test('neither other notations nor days that do not exist are timestamps', async t => {
  const bad = [
    '',
    '2026-01-31',
    '2026-01-31T12:00Z',
    '2026-01-31T12:00:00',
    '2026-01-31 12:00:00 +0000',
    '2026-01-31T12:00:00+0000',
    '2026-01-31T12:00:00Z\n',
    '2026-01-31T24:00:00Z',
    '2026-01-31T12:60:00Z',
    '2026-01-31T12:00:61Z',
    '2026-01-31T12:00:00.Z',
    '2026-01-31T12:00:00+16:00',
    '2026-01-00T12:00:00Z',
    '2026-01-32T12:00:00Z',
    '2026-02-29T12:00:00Z',
    '1900-02-29T12:00:00Z',
    '2026-04-31T12:00:00Z',
    '2026-13-01T12:00:00Z',
    '0000-01-01T12:00:00Z',
    '1769860800',
    'now',
  ]
  for (const text of bad) t.notOk(isTimestamp(text), JSON.stringify(text))
})
