import t from 'tap'
import { IngestError } from '../../../src/errors.js'
import {
  parseApplied,
  gzipSuspicion,
  mayRetryRequest,
  type AppliedCounts,
} from '../../../src/targets/server/envelope-answer.js'
import type { HttpAnswer } from '../../../src/http/exchange.js'

const BASE = new URL('https://ingest.example.com')

const answer = (status: number, text = '', headers: HttpAnswer['headers'] = {}): HttpAnswer => ({
  status,
  text,
  headers,
})

function errorOf(given: HttpAnswer, records = 2, token?: string): IngestError {
  let result: AppliedCounts
  try {
    result = parseApplied(given, { base: BASE, records, token })
  } catch (error) {
    if (error instanceof IngestError) return error
    throw error
  }
  throw new Error(`it was taken for ${JSON.stringify(result)}`)
}

t.test('an answer that acknowledges every record is a success', async t => {
  for (const [inserted, updated] of [
    [2, 0],
    [0, 2],
    [1, 1],
  ] as const) {
    const text = JSON.stringify({ inserted, updated, more: 'fields' })
    t.match(parseApplied(answer(200, text), { base: BASE, records: 2 }), { inserted, updated })
  }
  t.match(parseApplied(answer(200, '{"inserted":0,"updated":0}'), { base: BASE, records: 0 }), {
    inserted: 0,
    updated: 0,
  })
})

t.test('an acknowledgement of more or fewer records is an error that --allow-failure does not forgive', async t => {
  for (const text of ['{"inserted":1,"updated":0}', '{"inserted":2,"updated":1}', '{"inserted":3,"updated":-1}'])
    t.not(errorOf(answer(200, text)).exitCode, 69)
})

t.test('a body without both counts is not an acknowledgement', async t => {
  for (const text of [
    '',
    '[]',
    'null',
    '7',
    '{"inserted":2}',
    '{"inserted":"2","updated":0}',
    '{"inserted":1.5,"updated":0.5}',
    '<html>',
  ])
    t.match(
      errorOf(answer(200, text)),
      { code: 'target_misconfigured', message: /not with inserted and updated/ },
      text,
    )
})

t.test('temporary errors are retried, others are not', async t => {
  for (const status of [408, 429, 500, 501, 502, 503, 504, 599]) {
    const error = errorOf(answer(status))
    t.equal(error.exitCode, 69, String(status))
    t.equal(mayRetryRequest(error, 0), true, String(status))
  }
  for (const status of [201, 204, 301, 304, 308, 400, 401, 402, 403, 404, 405, 407, 409, 411, 413, 415, 422, 431]) {
    const error = errorOf(answer(status, '', { 'retry-after': '1' }))
    t.not(error.exitCode, 69, String(status))
    t.equal(mayRetryRequest(error, 0), false, String(status))
  }
  t.equal(mayRetryRequest(errorOf(answer(200, '{"inserted":1,"updated":0}')), 0), false)
  t.equal(mayRetryRequest(new IngestError('target_unreachable', 'no connection'), 0), true)
  t.equal(mayRetryRequest(new IngestError('target_misconfigured', 'no trust'), 0), false)
  t.equal(mayRetryRequest(new IngestError('interrupted', 'interrupted'), 0), false)
  t.equal(mayRetryRequest(new TypeError('a defect'), 0), false)
})

t.test('a Retry-After header sets the wait', async t => {
  t.equal(mayRetryRequest(errorOf(answer(429, '', { 'retry-after': '7' })), 0), 7_000)
  t.equal(mayRetryRequest(errorOf(answer(503, '', { 'retry-after': 'Thu, 01 Jan 1970 00:00:09 GMT' })), 4_000), 5_000)
  t.equal(mayRetryRequest(errorOf(answer(503, '', { 'retry-after': 'soon' })), 0), true)
})

t.test('the error for a version that the server does not know names both versions', async t => {
  const said = (body: object): IngestError => errorOf(answer(409, JSON.stringify(body)))
  t.match(said({ error: 'schema_version_too_new', expected: 3, got: 4 }), {
    ...{ code: 'schema_version', exitCode: 78, message: /is at contract version 3 but the records are of version 4/ },
  })
  t.match(said({}), { code: 'schema_version', message: /is at an older contract version than the records/ })
})

t.test('long texts of a server are truncated', async t => {
  t.ok(errorOf(answer(500, JSON.stringify({ error: 'x'.repeat(50_000) }))).message.length < 500)
  t.ok(errorOf(answer(302, '', { location: `https://${'x'.repeat(50_000)}` })).message.length < 500)
})

t.test('a rejected gzip body is attributed to gzip where that is possible', async t => {
  for (const [status, text, suspicion] of [
    [400, 'Failed to parse the request body as JSON', 'likely'],
    [400, '', 'likely'],
    [400, '{"error":"malformed"}', 'likely'],
    [400, '{"error":"malformed","message":"expected value at line 1 column 1"}', 'possible'],
    [400, '{"error":"record","record_index":0,"message":"bad storage"}', 'none'],
    [411, '', 'likely'],
    [415, 'Unsupported', 'likely'],
    [401, '', 'none'],
    [409, '{"error":"schema_version_too_new"}', 'none'],
    [413, '', 'none'],
    [503, '', 'none'],
  ] as const)
    t.equal(gzipSuspicion({ status, text }), suspicion, `${status} ${text}`)
})

t.test('the token is hidden in every shown part of an answer, in any form', async t => {
  const shown = (given: HttpAnswer, token: string): string => errorOf(given, 2, token).message
  t.match(shown(answer(500, 'you sent hush, hush'), 'hush'), ': you sent ***, ***')
  t.match(shown(answer(302, '', { location: 'https://h/?hush' }), 'hush'), ' to "https://h/?***"')
  const token = 'a"b\\c&d'
  const forms = [
    token,
    'a\\"b\\\\c&d',
    'a\\u0022b\\u005cc\\u0026d',
    'a%22b%5Cc%26d',
    'a&quot;b\\c&amp;d',
    'a&#34;b&#x5c;c&#38;d',
  ]
  for (const form of forms) {
    t.match(shown(answer(500, `sent ${form}.`), token), ': sent ***.', form)
    t.match(shown(answer(500, JSON.stringify({ message: `sent ${form}.` })), token), ': sent ***.', `in JSON: ${form}`)
  }
})

t.test('a token that occurs in the counts or the text of an answer changes neither', async t => {
  const applied = answer(200, '{"inserted":1,"updated":1}')
  for (const token of ['1', 'a', 'inserted'])
    t.match(parseApplied(applied, { base: BASE, records: 2, token }), { inserted: 1, updated: 1 }, token)
  t.match(errorOf(answer(500, 'got Bearer a, a bad day'), 2, 'a').message, ': got Bearer ***, a bad day')
})
