import t from 'tap'
import { EXIT, IngestError, messageOf, systemCodeOf, type ErrorCode } from '../src/errors.js'

/** The exit code of each error code. */
const EXIT_CODES: Readonly<Record<ErrorCode, number>> = {
  internal: 1,
  usage: 2,
  not_finite: 65,
  bad_data: 65,
  input_changed: 65,
  input_corrupt: 65,
  wrong_format: 65,
  no_input: 66,
  input_unreadable: 66,
  target_unreachable: 69,
  target_failed: 69,
  target_refused: 78,
  target_busy: 69,
  auth_failed: 77,
  commit_unknown: 78,
  git_failed: 78,
  target_misconfigured: 78,
  schema_version: 78,
  config_invalid: 78,
  storage_failed: 69,
  storage_denied: 77,
  state_conflict: 75,
  state_corrupt: 78,
  state_version: 78,
  already_exists: 78,
  not_found: 78,
  in_use: 78,
  protected: 78,
  queued: 75,
  interrupted: 130,
  terminated: 143,
}

t.test('every code has the exit code of the README', async t => {
  for (const [code, exitCode] of Object.entries(EXIT_CODES))
    t.equal(new IngestError(code as ErrorCode, '').exitCode, exitCode, code)
})

t.test('no two meanings share an exit code', async t => {
  const codes = Object.values(EXIT)
  t.equal(new Set(codes).size, codes.length)
})

t.test('an error keeps its cause, and its hint where it has one', async t => {
  const cause = new Error('refused')
  const error = new IngestError('target_unreachable', 'cannot reach it', { cause, hint: 'start it' })
  t.equal(error.cause, cause)
  t.equal(error.hint, 'start it')
  t.equal(error.name, 'IngestError')
  t.equal(new IngestError('usage', 'no').hint, undefined)
})

t.test('anything thrown has a message, and a system code only where there is one', async t => {
  t.equal(messageOf(new Error('plain')), 'plain')
  t.equal(messageOf('text'), 'text')
  t.equal(messageOf(undefined), 'undefined')
  t.equal(systemCodeOf(Object.assign(new Error(), { code: 'ENOENT' })), 'ENOENT')
  for (const thrown of [new Error('plain'), { code: 5 }, null, undefined, 'ENOENT'])
    t.equal(systemCodeOf(thrown), undefined)
})
