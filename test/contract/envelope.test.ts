import t from 'tap'
import { readSharedFixture } from '../fixtures/shared.js'
import { checkEnvelope } from '../../src/contract/envelope.js'
import { readBody } from '../../src/source/body.js'

type Case = {
  why: string
  stage: string
  body?: string
  body_b64?: string
  expect: { status: number; error: string | null; record_index: number | null }
}

t.test('every reference envelope gets the answer of the reference server', async t => {
  const text = await readSharedFixture(t, 'fixtures/envelopes.jsonl')
  if (text === undefined) return
  const cases = text.trimEnd().split('\n').map(line => JSON.parse(line) as Case)
  for (const { why, body, body_b64, expect } of cases) {
    const bytes = body === undefined ? Buffer.from(body_b64 ?? '', 'base64') : Buffer.from(body)
    t.strictSame(answer(bytes), { status: expect.status, error: expect.error, record_index: expect.record_index }, why)
  }
})

function answer(bytes: Buffer): Case['expect'] {
  const body = readBody(bytes)
  const check = body.ok ? checkEnvelope(body.value) : ({ ok: false, error: 'malformed' } as const)
  if (check.ok) return { status: 200, error: null, record_index: null }
  if (check.error === 'record') return { status: 400, error: 'record', record_index: check.recordIndex }
  return { status: check.error === 'malformed' ? 400 : 409, error: check.error, record_index: null }
}
