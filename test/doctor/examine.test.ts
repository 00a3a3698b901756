import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { fail, known, ok, tolerated, warn, type Check, type CheckGroup } from '../../src/doctor/finding.js'
import { examine, exitCodeFor, type Examined } from '../../src/doctor/examine.js'
import { IngestError, type ErrorCode } from '../../src/errors.js'

const group = (checks: readonly Check[], close?: CheckGroup['close']): CheckGroup => ({
  ...{ name: 'server', target: 'https://x', checks },
  ...(close && { close }),
})

const never = new AbortController().signal
const factsOf = ([examined]: readonly Examined[]): readonly string[] =>
  examined?.lines.map(({ check, status, fact }) => `${check} ${status} ${fact}`) ?? []

t.test('a check that throws, or that hangs, is a failed line, and the ones after it are made', async t => {
  let closed = 0
  const checks: readonly Check[] = [
    { name: 'throws', run: () => Promise.reject(new IngestError('auth_failed', 'https://x: no', { hint: 'ask' })) },
    { name: 'breaks', run: () => Promise.reject(new TypeError('a defect')) },
    { name: 'hangs', timeoutMs: 20, run: () => new Promise(() => undefined) },
    known('last', ok('here')),
  ]
  const examined = await examine([group(checks, async () => void closed++)], never)
  t.strictSame(factsOf(examined), [
    'throws fail no',
    'breaks fail a defect',
    'hangs fail no answer in 0.02 s',
    'last ok here',
  ])
  t.equal(closed, 1)
  t.equal(exitCodeFor(examined), 77)
})

t.test('the signal of a check fires when the check exceeds its time limit', async t => {
  let told: unknown
  const check: Check = {
    name: 'slow',
    timeoutMs: 20,
    run: async signal => {
      await sleep(60_000, undefined, { signal }).catch(() => void (told = signal.reason))
      return []
    },
  }
  await examine([group([check])], never)
  t.match(told, { code: 'target_unreachable' })
})

t.test('groups are checked concurrently, and an interruption closes what they opened', async t => {
  const controller = new AbortController()
  let closed = 0
  const hanging = group([{ name: 'hangs', run: () => new Promise(() => undefined) }], async () => void closed++)
  const examining = examine([hanging, hanging], controller.signal)
  const reason = new IngestError('interrupted', 'stop')
  controller.abort(reason)
  await t.rejects(examining, reason)
  await sleep(0)
  t.equal(closed, 2)
})

t.test('closing that fails changes nothing', async t => {
  const examined = await examine([group([known('one', ok('fine'))], () => Promise.reject(new Error('no')))], never)
  t.strictSame(factsOf(examined), ['one ok fine'])
})

t.test('a tolerated failure is a warning', async t => {
  const check = tolerated({ name: 'one', run: () => Promise.reject(new Error('no')) }, 'others do')
  t.strictSame(await check.run(never), [warn('no', 'others do')])
})

t.test('the exit code is that of the failure to be seen to first', async t => {
  const withCodes = (...codes: ErrorCode[]): readonly Examined[] => [
    { name: 'program', target: undefined, lines: codes.map(code => ({ check: 'x', ...fail(code, 'y') })) },
    { name: 'server', target: undefined, lines: [{ check: 'x', ...warn('y') }] },
  ]
  t.equal(exitCodeFor(withCodes()), 0)
  t.equal(exitCodeFor(withCodes('target_busy', 'usage', 'auth_failed')), 77)
  t.equal(exitCodeFor(withCodes('target_unreachable', 'schema_version')), 78)
  t.equal(exitCodeFor(withCodes('bad_data')), 78)
  t.equal(exitCodeFor(withCodes('internal', 'target_failed')), 69)
  t.equal(exitCodeFor(withCodes('internal')), 1)
})
