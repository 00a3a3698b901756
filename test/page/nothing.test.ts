/** Tests, in a real browser, the page's messages when there is nothing to show, and that the address states what is shown. */

import type { Page } from 'playwright-core'
import { join } from 'node:path'
import t from 'tap'
import { git, ORIGIN, repository } from '../commit/fixtures/repository.js'
import { parseAddress } from '../../src/page/address.js'
import { runCli } from '../fixtures/cli.js'
import { query, writeLines } from '../fixtures/records.js'
import { TOKEN } from '../server/fixtures/server.js'
import { findChromium, openPage, OUTPUT, rested, startBrowser, until } from './fixtures/browser.js'
import { startWithHistory } from './fixtures/server.js'

const executable = findChromium()
const skip = executable === undefined && 'no Chromium here: set VORTEX_INGEST_TEST_CHROMIUM to the path of one'
const TPCH = 'group=query_measurement.tpch.~.10.nvme'

t.test('in a browser, the command that an empty page names brings the first chart', { skip }, async t => {
  const server = await startWithHistory(t, 0)
  const browser = await startBrowser(t, executable!)
  const { page } = await openPage(t, browser, `${server.url}/?n=1#scale=log`)
  await page.getByText('If this server requires a token, first set INGEST_BEARER_TOKEN.').waitFor()
  const [program, ...args] = (await page.locator('#notice code').first().innerText()).split(' ')
  t.equal(program, 'vortex-ingest')
  const cwd = t.testdir({})
  writeLines(cwd, 'results.jsonl', [query({ commit_sha: repository(cwd) })])
  git(cwd, ['remote', 'add', 'origin', ORIGIN])
  const { code, stderr } = await runCli(args, { cwd, env: { INGEST_BEARER_TOKEN: TOKEN } })
  t.equal(code, 0, stderr)
  await page.reload()
  await page.locator('#series-rows tr').first().waitFor()
})

t.test('in a browser, where there is nothing to show', { skip }, async t => {
  const server = await startWithHistory(t, 4)
  const browser = await startBrowser(t, executable!)
  const open = async (hash: string): Promise<Page> => (await openPage(t, browser, `${server.url}/${hash}`)).page
  const drawn = async (hash = ''): Promise<Page> => {
    const page = await open(hash)
    await page.locator('#series-rows tr').first().waitFor()
    return page
  }

  await t.test('a group that is not there is said not to be, and no other is shown in its place', async t => {
    const page = await open('#group=nonsense&panel=Q99')
    await page.getByText('There is no group nonsense here. Choose one from the list.').waitFor()
    await rested(page)
    t.equal(await page.locator('#group').isVisible(), false)
    t.equal(await page.locator('#group-list [aria-current]').count(), 0)
    await page.locator('#group-list').getByRole('link', { name: /taxi/ }).first().click()
    await page.locator('#series-rows tr').first().waitFor()
    t.equal(await page.locator('#notice').isVisible(), false)
    await page.goBack()
    await page.getByText('There is no group nonsense here').waitFor()
    t.equal(await page.locator('#group').isVisible(), false)
  })

  await t.test('a panel that is not there is said not to be', async t => {
    const page = await drawn(`#${TPCH}&panel=99`)
    t.equal(await page.locator('#notice').innerText(), 'This group has no panel 99. This is Mean.')
    await page.getByRole('radio', { name: 'Q3', exact: true }).check()
    t.equal(await page.locator('#notice').isVisible(), false)
  })

  await t.test('the address has the group and the panel, also when they are the first', async t => {
    const page = await drawn()
    await until(page, `location.hash !== ''`)
    t.strictSame(parseAddress(new URL(page.url()).hash), parseAddress(`${TPCH}&panel=mean`))
    t.equal(await page.evaluate('history.length'), 2, 'without a step of its own')
  })

  await t.test('where no series is left the chart says why, and has no axis', async t => {
    const page = await drawn(`#${TPCH}`)
    const chart = page.locator('#chart .uplot')
    const find = page.getByRole('searchbox', { name: 'Find series' })
    await find.fill('nonsense')
    await page.getByText('No series matches.').waitFor()
    await page.screenshot({ path: join(OUTPUT, 'no-line.png') })
    t.equal(await chart.isVisible(), false)
    await find.fill('duckdb')
    t.ok(await chart.isVisible())
    t.equal(await page.locator('#chart-empty').isVisible(), false)
    await page.getByRole('button', { name: 'Hide all' }).click()
    await page.getByText('All matching series are hidden.').waitFor()
    t.equal(await chart.isVisible(), false)
    await page.getByRole('button', { name: 'Show all' }).click()
    t.ok(await chart.isVisible())
  })

  await t.test('words that no group has are said so, beside the focus and not in it', async t => {
    const page = await drawn()
    const find = page.getByRole('searchbox', { name: 'Find a group' })
    await find.fill('nonsense')
    const [box, none] = [await find.boundingBox(), await page.getByText('No group matches.').boundingBox()]
    t.ok(none!.y - (box!.y + box!.height) >= 6)
  })
})
