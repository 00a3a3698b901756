/** Tests the pictures that say how the newest values of a group compare with those before. */

import { XMLParser, XMLValidator } from 'fast-xml-parser'
import t from 'tap'
import { sizeLine } from '../fixtures/records.js'
import { commit, envelope } from './fixtures/envelopes.js'
import { get, post, startServer, type Running } from './fixtures/server.js'
import { emptyTables, startStore } from './fixtures/store.js'

const store = await startStore(t)

async function push(server: Running, day: number, records: readonly string[]): Promise<void> {
  const of = { timestamp: `2026-01-0${day}T00:00:00Z` }
  t.equal((await post(server, envelope(records, { commit: commit(shaOf(day), of) }))).status, 200)
}

const shaOf = (day: number): string => String(day).repeat(40)

function size(day: number, format: string, value_bytes: number, dataset = 'taxi'): string {
  const tokens = { commit_sha: `"${shaOf(day)}"`, format: JSON.stringify(format), value_bytes: String(value_bytes) }
  return sizeLine(dataset, { ...tokens, dataset_variant: undefined })
}

/** The text of a badge for screen readers. */
async function badge(server: Running, slug: string): Promise<string> {
  const { status, headers, text } = await get(server, `/badge/${slug}.svg`)
  t.equal(status, 200)
  t.equal(headers.get('content-type'), 'image/svg+xml')
  t.match(headers.get('cache-control'), /max-age=\d/)
  t.equal(XMLValidator.validate(text), true)
  const { svg } = new XMLParser({ ignoreAttributes: false, htmlEntities: true }).parse(text) as Record<
    string,
    { title: string }
  >
  return svg!.title
}

t.test('a badge compares the newest values of a group with those before', async t => {
  const server = await startServer(t, { store })
  const slug = 'compression_size.taxi.~'
  t.equal(await badge(server, slug), 'compression size taxi: no data')
  await push(server, 1, [size(1, 'a', 100), size(1, 'b', 1000)])
  t.equal(await badge(server, slug), `compression size taxi: measured at ${shaOf(1).slice(0, 7)}`)
  await push(server, 2, [size(2, 'a', 121), size(2, 'b', 1000), size(2, 'new', 5)])
  await push(server, 3, [])
  t.equal(await badge(server, slug), `compression size taxi: +10.0 % at ${shaOf(2).slice(0, 7)}`, 'the geometric mean')
  const { text: worse } = await get(server, `/badge/${slug}.svg`)
  await push(server, 4, [size(4, 'a', 60), size(4, 'b', 1000)])
  t.match(await badge(server, slug), '−29.6 % at')
  const { text: better } = await get(server, `/badge/${slug}.svg`)
  t.match(worse, '#b42318')
  t.match(better, '#116932')
  await emptyTables(store)
})

t.test('whatever a group is called, the badge is valid and contains no markup of it', async t => {
  const server = await startServer(t, { store })
  const odd = `<script>&"'`
  await push(server, 1, [size(1, 'a', 100, odd)])
  const { body } = await get(server, '/api/groups')
  const [{ slug } = { slug: '' }] = (body as { groups: { slug: string }[] }).groups
  t.match(await badge(server, slug), `compression size ${odd}: measured at`)
  t.notMatch((await get(server, `/badge/${slug}.svg`)).text, '<script')
  t.equal((await get(server, '/badge/nonsense.svg')).status, 404)
  t.equal((await get(server, `/badge/${slug}`)).status, 404, 'without its ending')
  await emptyTables(store)
})
