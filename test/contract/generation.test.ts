import t from 'tap'
import { formatGeneration, parseGeneration, type Generation } from '../../src/contract/generation.js'

const producedAt = '2026-04-25T09:02:40Z'
const ci = { producer: 'Größe', run: 7, attempt: 2 }

t.test('a generation is the same after it was sent in a header', async t => {
  const generations: readonly Generation[] = [{ producedAt }, { producedAt, ci }, { producedAt, isForced: true }]
  for (const generation of generations) {
    const text = formatGeneration(generation)
    t.match(text, /^[\x20-\x7e]+$/)
    t.strictSame(parseGeneration(text), generation)
  }
})

t.test('text that is not a generation is recognised', async t => {
  const wrong = [
    '',
    '7',
    '{}',
    '{"producedAt":"yesterday"}',
    `{"producedAt":"${producedAt}","forced":1}`,
    `{"producedAt":"${producedAt}","ci":{"producer":"","run":1,"attempt":1}}`,
    `{"producedAt":"${producedAt}","ci":{"producer":"p","run":-1,"attempt":1}}`,
  ]
  for (const text of wrong) t.equal(parseGeneration(text), undefined, text)
})
