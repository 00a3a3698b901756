import t from 'tap'
import { answerText, statusWithText } from '../../../src/http/answer-text.js'

t.test('the text of a JSON answer is its message, otherwise its error, otherwise empty', async t => {
  for (const [text, said] of [
    ['{"error":"malformed","message":"no sha"}', 'no sha'],
    ['{"error":"malformed"}', 'malformed'],
    ['{"error":7,"detail":"x"}', ''],
    ['{}', ''],
  ] as const)
    t.equal(answerText({ text }), said, text)
})

t.test('the text of any other answer is its first line that is not blank', async t => {
  for (const [text, said] of [
    ['', ''],
    [' \r\n\t\n', ''],
    ['Bad gateway', 'Bad gateway'],
    ['\r\n  <html>  \r\n<body>', '<html>'],
    ['null', 'null'],
    ['["a"]', '["a"]'],
    ['{"error":"cut o', '{"error":"cut o'],
  ] as const)
    t.equal(answerText({ text }), said, JSON.stringify(text))
})

t.test('control characters and invisible characters are escaped, and long text is truncated', async t => {
  t.equal(
    answerText({ text: 'a\u001b[2J\u0000\u0085\u202e\u2028\u{e0001}b\tc' }),
    'a\\u001b[2J\\u0000\\u0085\\u202e\\u2028\\udb40\\udc01b\\tc',
  )
  t.equal(answerText({ text: JSON.stringify({ message: 'one\ntwo "three" é 🙂' }) }), 'one\\ntwo "three" é 🙂')
  t.equal(answerText({ text: 'x'.repeat(200) }), 'x'.repeat(200))
  t.equal(answerText({ text: 'x'.repeat(201) }), `${'x'.repeat(200)}…`)
  t.ok(answerText({ text: '\u0001'.repeat(1_000) }).length <= 201)
  t.equal(answerText({ text: `${'x'.repeat(199)}🙂` }), `${'x'.repeat(199)}…`, 'no half of a character')
})

t.test('the status of an answer without text stands alone', async t => {
  t.equal(statusWithText({ status: 502, text: '' }), '502')
  t.equal(statusWithText({ status: 502, text: 'Bad gateway' }), '502 (Bad gateway)')
})
