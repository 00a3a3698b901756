import t from 'tap'
import { redact } from '../../../src/redact.js'

t.test('the password of a URL of any scheme is hidden', t => {
  const cases = [
    ['postgres://u:secret@h:5432/d?sslmode=x', 'postgres://u:***@h:5432/d?sslmode=x'],
    ['POSTGRESQL://u:secret@h/d', 'POSTGRESQL://u:***@h/d'],
    ['see "https://ci:secret@h/x" and redis://:secret@h', 'see "https://ci:***@h/x" and redis://:***@h'],
    ['git+ssh://u:secret@h,s3://a:secret@b', 'git+ssh://u:***@b'],
    ['postgres://u:se@c/r?e#t@h/d', 'postgres://u:***@h/d'],
    ['postgres://u:se"cret@h/d', 'postgres://u:***@h/d'],
    ['postgres://u:se cret@h/d', 'postgres://u:***@h/d'],
    ['postgres://u:secret', 'postgres://u:***'],
    ['{"a":"postgres://u:secret@h/d","b":"x@y"}', '{"a":"postgres://u:***@h/d","b":"x@y"}'],
    ['https://ghp_secret@github.com/x', 'https://***@github.com/x'],
  ] as const
  for (const [text, shown] of cases) t.equal(redact(text), shown, text)
  t.end()
})

t.test('secrets in parameters are hidden', t => {
  const cases = [
    ['h:5432/?Action=connect&X-Amz-Signature=secret&DBUser=u', 'h:5432/?Action=connect&X-Amz-Signature=***&DBUser=u'],
    ['https://h/?access_token=secret', 'https://h/?access_token=***'],
    ["host=h password='se cr\\'et' user=u", 'host=h password=*** user=u'],
    ['password = secret', 'password = ***'],
  ] as const
  for (const [text, shown] of cases) t.equal(redact(text), shown, text)
  t.end()
})

t.test('text without secrets is not changed', t => {
  const texts = [
    'postgres://u@h:5432/d',
    'http://localhost:8080/api/ingest',
    'http://localhost:8080',
    'listening on http://127.0.0.1:8080, mail me@example.com',
    'http://[::1]:8080/',
    'password authentication failed for user "u"',
    'results.jsonl:17: /all_runtimes_ns/2 must be an integer',
  ]
  for (const text of texts) t.equal(redact(text), text)
  t.end()
})
