import t from 'tap'
import {
  formatOrigin,
  joinOrigins,
  limitOrigin,
  parseOrigin,
  sourceRange,
  type DeliveryOrigin,
} from '../../src/contract/delivery-origin.js'

const nameOf = (name: string): string => sourceRange(name, { linesBefore: 0, lines: 1 }).name

const origin = (...ranges: readonly [string, number, number, string?][]): DeliveryOrigin => ({
  runUrl: 'https://ci.example.com/1',
  sources: ranges.map(([name, firstLine, lastLine, hash]) => ({ name, firstLine, lastLine, ...(hash && { hash }) })),
  sourceCount: ranges.length,
})

t.test('a source is named without the folders of the machine', async t => {
  t.equal(nameOf('results/night.jsonl'), 'results/night.jsonl')
  t.equal(nameOf('./results/night.jsonl'), 'results/night.jsonl')
  t.equal(nameOf('-'), '-')
  for (const name of ['/home/ann/night.jsonl', '../ann/night.jsonl', 'a/../../night.jsonl', 'C:\\ann\\night.jsonl'])
    t.equal(nameOf(name), 'night.jsonl', name)
  t.equal(nameOf('a\u0000b\nc.jsonl'), 'a b c.jsonl', 'control characters, which Postgres and headers cannot hold')
  t.equal(nameOf('x'.repeat(1_000)).length, 200)
})

t.test('parts of one source that follow each other become one part with the hash of the last', async t => {
  const joined = joinOrigins([origin(['a', 1, 10, 'h1']), origin(['a', 11, 20, 'h2']), origin(['b', 5, 6])])
  t.strictSame(joined, { ...origin(['a', 1, 20, 'h2'], ['b', 5, 6]), sourceCount: 2 })
  t.strictSame(
    joinOrigins([origin(['a', 1, 10]), origin(['a', 12, 20])]).sources.length,
    2,
    'lines between are missing',
  )
})

t.test('as many sources are named as fit into a header, and all are counted', async t => {
  const names = Array.from({ length: 2_000 }, (_, index) => `${'é'.repeat(80)}-${index}.jsonl`)
  const many = joinOrigins(names.map(name => origin([name, 1, 1])))
  const text = formatOrigin(many)
  t.ok(text.length < 8_000, `${text.length} characters`)
  t.match(text, /^[\x20-\x7e]+$/, 'ASCII')
  const parsed = parseOrigin(text)
  t.same(parsed, limitOrigin(many))
  t.equal(parsed?.sourceCount, 2_000)
  t.ok(parsed!.sources.length > 5)
  t.equal(parsed?.sources[0]?.name, names[0])
  t.equal(joinOrigins([parsed!, origin(['z', 1, 1])]).sourceCount, 2_001, 'those that were left out stay counted')
})

t.test('a text that is no origin is refused, and an address that a page must not link to is left out', async t => {
  const good = { sources: [], sourceCount: 0 }
  for (const bad of [
    ...['', 'null', '[]', '{}', '{"sources":[]}', '{"sources":{},"sourceCount":0}', '{"sources":[{}],"sourceCount":1}'],
    JSON.stringify({ ...good, tool: 7 }),
    JSON.stringify({ ...good, target: 'a\u0000b' }),
    '{"sources":[],"sourceCount":0,"tool":"\\ud800"}',
    JSON.stringify({ sources: [{ name: 'a', firstLine: -1, lastLine: 2 }], sourceCount: 1 }),
  ])
    t.equal(parseOrigin(bad), undefined, bad)
  const runUrl = (url: string) => parseOrigin(JSON.stringify({ ...good, runUrl: url }))?.runUrl
  t.equal(runUrl('javascript:alert(1)'), undefined)
  t.equal(runUrl(`https://ci.example.com/${'x'.repeat(3_000)}`), undefined)
  t.equal(runUrl('https://ann:secret@ci.example.com/runs/7'), 'https://ci.example.com/runs/7')
})
