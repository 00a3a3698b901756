import t from 'tap'
import { retryAfterMs } from '../../../src/targets/server/envelope-answer.js'

const NOW = Date.UTC(1994, 10, 6, 8, 49, 7)

t.test('seconds', async t => {
  t.equal(retryAfterMs('0', NOW), 0)
  t.equal(retryAfterMs('120', NOW), 120_000)
  t.equal(retryAfterMs(' 7 ', NOW), 7_000)
})

t.test('all three forms of an HTTP date are read as UTC in every time zone', async t => {
  const zone = process.env.TZ
  t.teardown(() => {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  })
  for (const TZ of ['UTC', 'America/New_York', 'Asia/Kolkata']) {
    process.env.TZ = TZ
    for (const date of ['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])
      t.equal(retryAfterMs(date, NOW), 30_000, `${date} in ${TZ}`)
  }
  t.equal(retryAfterMs('Fri Nov 16 08:49:37 1994', NOW), 10 * 86_400_000 + 30_000, 'a day of two digits')
})

t.test('a date in the past demands no wait', async t => {
  t.equal(retryAfterMs('Sun, 06 Nov 1994 08:49:00 GMT', NOW), 0)
})

t.test('anything else is ignored', async t => {
  for (const value of [
    undefined,
    '',
    'soon',
    '-1',
    '1.5',
    '1e3',
    '0x10',
    '1994-11-06T08:49:37Z',
    '1, 2',
    'Sun, 99 Foo 1994 08:49:37 GMT',
  ])
    t.equal(retryAfterMs(value, NOW), undefined, String(value))
})
