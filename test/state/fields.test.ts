import t from 'tap'
import { Fields } from '../../src/state/fields.js'

const of = (value: unknown): Fields => new Fields(value, 'here')
const damaged = (message: string): { code: string; message: string } => ({
  code: 'state_corrupt',
  message: `here${message}`,
})

t.test('a field of the wrong type is reported by name', async t => {
  const fields = of({ text: '', count: 0, big: 2 ** 53, neg: -1, part: 1.5, nothing: null })
  t.equal(fields.text('text'), '')
  t.equal(fields.count('count'), 0)
  for (const name of ['big', 'neg', 'part', 'text', 'nothing', 'absent'])
    t.throws(() => fields.count(name), damaged(` is damaged: ${name} must be a whole number`))
  for (const name of ['count', 'nothing', 'absent'])
    t.throws(() => fields.text(name), damaged(` is damaged: ${name} must be text`))
})

t.test('absent and null fields are both undefined', async t => {
  const fields = of({ nothing: null, there: 'x' })
  const read = (name: string): string => fields.text(name)
  t.equal(fields.optional('nothing', read), undefined)
  t.equal(fields.optional('absent', read), undefined)
  t.equal(fields.optional('there', read), 'x')
})

t.test('errors in lists and maps name the damaged element', async t => {
  const fields = of({ list: [{ a: 1 }, { a: 'x' }], map: { one: { a: 1 }, two: 7 }, counts: { a: 1, b: -1 } })
  const a = (inner: Fields): number => inner.count('a')
  t.throws(() => fields.list('list', a), damaged(', list/1 is damaged: a must be a whole number'))
  t.throws(() => fields.map('map', a), damaged(', map, two is damaged: it is not an object'))
  t.throws(() => fields.counts('counts'), damaged(', counts is damaged: b must be a whole number'))
  t.throws(() => fields.list('map', a), damaged(' is damaged: map must be a list'))
})

t.test('inherited properties are not fields', async t => {
  t.throws(() => of({}).text('toString'), { code: 'state_corrupt' })
  t.strictSame(
    [...of(JSON.parse('{"m":{"__proto__":1,"a":2}}') as object).counts('m')],
    [
      ['__proto__', 1],
      ['a', 2],
    ],
  )
})
