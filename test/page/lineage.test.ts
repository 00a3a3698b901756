/** The card of a commit names the delivery that each value comes from, and links its CI run. */

import t from 'tap'
import { formatOrigin, ORIGIN_HEADER } from '../../src/contract/delivery-origin.js'
import { query, SHA, size } from '../fixtures/records.js'
import { commit, envelope, META } from '../server/fixtures/envelopes.js'
import { post } from '../server/fixtures/server.js'
import { findChromium, openPage, startBrowser } from './fixtures/browser.js'
import { startWithHistory } from './fixtures/server.js'

const executable = findChromium()
const skip = executable === undefined && 'no Chromium here: set VORTEX_INGEST_TEST_CHROMIUM to the path of one'
const where = { dataset: 'tpch', scale_factor: '10', storage: 'nvme', engine: 'duckdb' }
const QUERIES = 'group=query_measurement.tpch.~.10.nvme'

const queryOf = (format: string, query_idx: number): string => query({ ...where, commit_sha: SHA, format, query_idx })
const runUrl = (run: number): string => `https://ci.example.com/runs/${run}`

t.test('in a browser', { skip, timeout: 120_000 }, async t => {
  const server = await startWithHistory(t, 0)
  const deliver = async (run: number, records: readonly string[], url = runUrl(run)): Promise<void> => {
    const body = envelope(records, {
      commit: commit(SHA),
      meta: META.replace('"b"', `"bench@${run}"`),
    })
    const source = { name: `run-${run}.jsonl`, firstLine: 1, lastLine: records.length }
    const origin = formatOrigin({ runUrl: url, sources: [source], sourceCount: 1 })
    t.equal((await post(server, body, { [ORIGIN_HEADER]: origin })).status, 200)
  }
  const sizes = size({ commit_sha: SHA, dataset: 'taxi', format: 'parquet', value_bytes: 1, uncompressed_bytes: 2 })
  await deliver(1, [queryOf('parquet', 1), queryOf('vortex', 1), queryOf('parquet', 2), queryOf('vortex', 2), sizes])
  await deliver(2, [queryOf('parquet', 1)])
  const browser = await startBrowser(t, executable!)
  const cardAt = async (address: string) => {
    const { page, complaints } = await openPage(t, browser, `${server.url}/#${address}&at=${SHA.slice(0, 7)}`)
    const lines = page.locator('#card .card-origin')
    await lines.first().waitFor()
    return { lines, complaints }
  }

  await t.test('values of two runs each link their own', async t => {
    const { lines, complaints } = await cardAt(`${QUERIES}&panel=1`)
    const texts = (await lines.allInnerTexts()).sort()
    t.match(texts, [
      /^duckdb · parquet: run bench@2 · run-2\.jsonl · /,
      /^duckdb · vortex: run bench@1 · run-1\.jsonl · /,
    ])
    t.equal(texts.length, 2)
    const links = await lines.locator('a').all()
    const addresses = await Promise.all(links.map(link => link.getAttribute('href')))
    t.strictSame(addresses.sort(), [runUrl(1), runUrl(2)])
    t.strictSame(complaints, [])
  })

  await t.test('values of one run share a line, and every panel finds its own', async t => {
    const second = await cardAt(`${QUERIES}&panel=2`)
    t.match(await second.lines.allInnerTexts(), [/^run bench@1 · run-1\.jsonl · /])
    const all = await cardAt(`${QUERIES}&panel=all`)
    const texts = await all.lines.allInnerTexts()
    t.ok(texts.includes(texts.find(text => /^Q1 · duckdb · parquet: run bench@2/.test(text)) ?? 'none'), texts.join())
    const mean = await cardAt(`${QUERIES}&panel=mean`)
    t.equal((await mean.lines.allInnerTexts()).length, 2, 'the mean of parquet comes from both runs')
  })

  await t.test('an address that is not of the web is no link', async t => {
    await deliver(3, [sizes], 'javascript:alert(1)')
    const { lines } = await cardAt('group=compression_size.taxi.~')
    t.match(await lines.allInnerTexts(), [/^run bench@3 · /])
    t.equal(await lines.locator('a').count(), 0)
  })
})
