/** Tests, in a real browser, the list of changes and their marks on charts. */

import { join } from 'node:path'
import axe from 'axe-core'
import t from 'tap'
import { insertAcceptedChange } from '../../src/database/queries/accepted-changes.js'
import { get } from '../server/fixtures/server.js'
import { plantedSha, pushPlanted } from '../server/fixtures/planted.js'
import { startStore } from '../server/fixtures/store.js'
import { findChromium, openPage, OUTPUT, rested, startBrowser, until } from './fixtures/browser.js'
import { pictureOf } from './fixtures/pixels.js'
import { startWithHistory } from './fixtures/server.js'

const executable = findChromium()
const skip = executable === undefined && 'no Chromium here: set VORTEX_INGEST_TEST_CHROMIUM to the path of one'
const FORMAT_3 = 'group=random_access_time.planted&find=format-3'
const HISTORY = {
  ...{ commits: 14, series: 60 },
  changes: [
    { series: 3, at: 6, factor: 1.27 },
    { series: 40, at: 9, factor: 1 / 1.27 },
  ],
}

t.test('in a browser, changes', { skip }, async t => {
  const store = await startStore(t)
  const server = await startWithHistory(t, 0, store)
  await pushPlanted(server, HISTORY)
  const browser = await startBrowser(t, executable!)

  await t.test('the page starts with them: commit, author, series and size', async t => {
    // The page waits a moment for the changes, so they are looked for before.
    await get(server, '/api/changes')
    const { page, complaints } = await openPage(t, browser, server.url)
    await page.locator('#changes-list section').first().waitFor()
    await until(page, `location.hash === '#view=changes'`)
    t.match(await page.locator('#changes-status').innerText(), '2 changes at 2 commits, among 60 series at the last 14')
    const [newest, oldest] = await page.locator('#changes-list section').allInnerTexts()
    t.match(newest, /Commit 9\s+[0-9a-f]{7} .* · Author 9\s+Random access: planted · format-40\s+▼ −2\d\.\d\s%/)
    t.match(
      oldest,
      /Commit 6\s+[0-9a-f]{7} .* · Author 6\s+Random access: planted · format-3\s+▲ \+2\d\.\d\s%\s+\d\.\d\d\sms → 5\.\d\d\sms/,
    )
    const dots = `[...document.querySelectorAll('.small-chart path')].flatMap(path => path.getAttribute('d').match(/M/g)).length`
    t.equal(await page.evaluate(dots), 2 * HISTORY.commits, 'each small chart has all values')
    await page.evaluate(axe.source)
    const { violations } = await page.evaluate<{ violations: { id: string }[] }>('axe.run(document)')
    t.strictSame(
      violations.map(({ id }) => id),
      [],
    )
    await page.screenshot({ path: join(OUTPUT, 'changes.png') })
    t.strictSame(complaints, [])
  })

  await t.test('one click leads to the chart of the series at that commit', async t => {
    const { page } = await openPage(t, browser, `${server.url}/#view=changes`)
    await page.getByRole('link', { name: 'Random access: planted · format-3', exact: true }).click()
    await page.locator('#card.pinned').waitFor()
    t.equal(await page.locator('#series-count').innerText(), '1 of 60 series drawn')
    const sha = plantedSha(6).slice(0, 7)
    t.equal(await page.locator('#series-at').innerText(), `At ${sha}`)
    await until(page, `document.querySelector('#card').innerText.includes('Changed here: format-3 +2')`)
    t.match(page.url(), `at=${sha}`)
    await page.screenshot({ path: join(OUTPUT, 'change-on-chart.png') })
    await page.goBack()
    await page.locator('#changes-list section').first().waitFor()
  })

  await t.test('an accepted change is listed with its note, and marked on the chart', async t => {
    const accepted = { id: '1', commit: plantedSha(6), series: ['format-3'], note: 'checks every page', by: 'Zoe' }
    const act = { at: '2026-11-30T00:00:00Z', withdrawn: undefined }
    await store.read(session => insertAcceptedChange(session, { ...accepted, ...act }))
    // A push makes the server analyse again.
    await pushPlanted(server, { ...HISTORY, commits: HISTORY.commits + 1 })
    const { page } = await openPage(t, browser, `${server.url}/#view=changes`)
    const oldest = page.locator('#changes-list section').last()
    await oldest.waitFor()
    t.match(await oldest.innerText(), /accepted: checks every page/)
    t.notMatch(await page.locator('#changes-list section').first().innerText(), /accepted/)
    await page.getByRole('link', { name: 'Random access: planted · format-3', exact: true }).click()
    await until(page, `document.querySelector('#card').innerText.includes('(accepted: checks every page)')`)
  })

  await t.test('a chart marks them', async t => {
    const open = async (isBlocked: boolean): Promise<string> => {
      const { page } = await openPage(t, browser, 'about:blank')
      if (isBlocked) await page.route('**/api/changes', route => route.abort())
      const loaded = isBlocked ? undefined : page.waitForResponse('**/api/changes')
      await page.goto(`${server.url}/#${FORMAT_3}&only=format-3`)
      await page.locator('#series-rows tr').first().waitFor()
      await loaded
      await rested(page)
      return pictureOf(page)
    }
    t.not(await open(false), await open(true))
  })
})

t.test('in a browser, a page without changes starts with the charts', { skip }, async t => {
  const server = await startWithHistory(t, 3)
  const browser = await startBrowser(t, executable!)
  const { page } = await openPage(t, browser, server.url)
  await page.locator('#series-rows tr').first().waitFor()
  await page.getByRole('link', { name: 'Changes' }).click()
  await page.getByText('No change was found among').waitFor()
})

t.test('in a browser, the list of groups does not wait for the chart', { skip }, async t => {
  const server = await startWithHistory(t, 3)
  const browser = await startBrowser(t, executable!)
  let answer = (): void => undefined
  const released = new Promise<void>(resolve => (answer = resolve))
  const { page } = await openPage(t, browser, `${server.url}/#view=charts`, {}, async page => {
    await page.route('**/api/history/**', async route => {
      await released
      await route.continue()
    })
  })
  await page.getByRole('link', { name: /^tpch/ }).waitFor()
  await page.getByText('Loading…').waitFor()
  await until(page, `performance.getEntriesByName('first-contentful-paint').length === 1`)
  t.equal(await page.locator('#series-rows tr').count(), 0)
  answer()
  await page.locator('#series-rows tr').first().waitFor()
})
