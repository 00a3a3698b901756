import t from 'tap'
import { IngestError } from '../../../src/errors.js'
import { describeServer, parseServerUrl, routeUrl } from '../../../src/http/address.js'

t.test('a server URL is an origin with an optional path', async t => {
  for (const [text, described] of [
    ['https://ingest.example.com', 'https://ingest.example.com'],
    ['https://ingest.example.com/', 'https://ingest.example.com'],
    ['HTTP://Ingest.Example.com:80', 'http://ingest.example.com'],
    ['http://127.0.0.1:8080/bench//', 'http://127.0.0.1:8080/bench'],
    ['http://[::1]:8080', 'http://[::1]:8080'],
  ] as const)
    t.equal(describeServer(parseServerUrl(text)), described)
})

t.test("the URL of the ingest route is accepted for the server's URL", async t => {
  for (const text of ['https://h/api/ingest', 'https://h/api/ingest/', 'https://h/'])
    t.equal(routeUrl(parseServerUrl(text), '/api/ingest').href, 'https://h/api/ingest')
  t.equal(routeUrl(parseServerUrl('https://h/x'), '/api/ingest').href, 'https://h/x/api/ingest')
})

t.test('an invalid URL is rejected without being repeated', async t => {
  for (const [text, says] of [
    ['', /not a URL/],
    ['ingest.example.com', /not a URL/],
    ['hush-4711', /not a URL/],
    ['localhost:8080', /https:\/\/ or http/],
    ['ftp://hush-4711/', /https:\/\/ or http/],
    ['postgres://u:hush-4711@h/d', /https:\/\/ or http/],
    ['https://u:hush-4711@h', /user or password/],
    ['https://hush-4711@h', /user or password/],
    ['https://h/?token=hush-4711', /query/],
    ['https://h/#hush-4711', /fragment/],
  ] as const) {
    const error = refused(text)
    t.match(error, { code: 'usage', message: says, hint: /./ })
    t.notMatch(`${error.message} ${error.hint}`, 'hush-4711')
  }
})

function refused(text: string): IngestError {
  try {
    parseServerUrl(text)
  } catch (error) {
    if (error instanceof IngestError) return error
  }
  throw new Error(`${text} was not refused`)
}
