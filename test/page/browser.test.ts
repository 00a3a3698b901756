/** Tests the page in a real browser, with a real server. */

import { join } from 'node:path'
import axe from 'axe-core'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { IngestError } from '../../src/errors.js'
import { addTarget } from '../../src/state/targets.js'
import { memoryStorage } from '../../src/storage/memory.js'
import { SHA, sizeLine } from '../fixtures/records.js'
import { commit, envelope } from '../server/fixtures/envelopes.js'
import { OPERATOR_TOKEN, startOperated } from '../server/fixtures/operator.js'
import { get, post, type Running } from '../server/fixtures/server.js'
import { startStore } from '../server/fixtures/store.js'
import { findChromium, openPage, OUTPUT, rested, startBrowser, until, type Opened } from './fixtures/browser.js'
import { shaOf, PAGE_FOLDER, startWithHistory } from './fixtures/server.js'
import { pictureOf, pixelsOf } from './fixtures/pixels.js'

const executable = findChromium()
const COMMITS = 60
const TPCH = 'group=query_measurement.tpch.~.10.nvme'
/** Colours of parquet and of one vortex format in the light theme. */
const [PARQUET, COMPACT] = ['#c2410c', '#1d4ed8']
const PHONE = { viewport: { width: 375, height: 760 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 }

const skip = executable === undefined && 'no Chromium here: set VORTEX_INGEST_TEST_CHROMIUM to the path of one'

t.test('in a browser', { skip, timeout: 280_000 }, async t => {
  const server = await startWithHistory(t, COMMITS)
  const browser = await startBrowser(t, executable!)
  for (const [name, test] of Object.entries(TESTS)) await t.test(name, t => test(t, { server, browser }))
})

t.test('in a browser, before anything was pushed and after something odd was', { skip }, async t => {
  const server = await startWithHistory(t, 0)
  const browser = await startBrowser(t, executable!)
  const { page } = await openPage(t, browser, server.url)
  const command = `vortex-ingest push results.jsonl --server ${server.url} --benchmark-id try`
  await page.getByText(command, { exact: true }).waitFor()
  const odd = '<img src=x onerror=alert(1)>'
  const records = [sizeLine(odd, { format: JSON.stringify(odd) })]
  await post(server, envelope(records, { commit: commit(SHA, { message: odd, url: 'javascript:alert(1)' }) }))
  const opened = await openPage(t, browser, server.url)
  opened.page.on('dialog', () => t.fail('something ran'))
  await opened.page.locator('#series-rows tr').first().waitFor()
  t.strictSame(await lineNames(opened.page), [odd])
  await hover(opened.page, 0.5)
  t.match(await opened.page.locator('#card').innerText(), odd)
  t.equal(await opened.page.locator('#card a').count(), 0, 'no link leads anywhere but to the web')
  t.strictSame(opened.complaints, [])
})

t.test('in a browser, an operator', { skip }, async t => {
  const options = { store: await startStore(t), storage: memoryStorage(), pageFolder: PAGE_FOLDER }
  const server = await startOperated(t, options)
  const place = { kind: 'archive', address: 'far', identity: 'archive:far', bucket: 'primary' } as const
  const none = { secretEnv: undefined, rolePolicy: undefined, region: undefined, insecureLocal: false }
  await addTarget(server.state, { ...none, ...place, name: 'far', isRequired: true })
  const error = new IngestError('target_unreachable', 'nobody answers there')
  server.journal.events.record({ subject: 'target', name: 'far', operation: 'deliver', error })
  const browser = await startBrowser(t, executable!)
  const { page } = await openPage(t, browser, `${server.url}/#view=operator`)
  const give = async (token: string): Promise<void> => {
    await page.getByLabel('Operator token').fill(token)
    await page.getByRole('button', { name: 'Show' }).click()
  }
  await give('another-token')
  await page.getByText('Cannot load: the server refuses this token.').waitFor()
  await give(OPERATOR_TOKEN)
  await page.locator('#targets tbody tr').first().waitFor()
  t.match(await page.locator('#targets').innerText(), /far\s+archive\s+far\s+yes\s+primary/)
  t.match(await page.locator('#health').innerText(), /far\s+failing\s+1/)
  t.match(await page.locator('#journal').innerText(), /far\s+deliver\s+target_unreachable\s+nobody answers there/)
  t.strictSame(await violations(page), [])
  await page.screenshot({ path: join(OUTPUT, 'operator.png') })
  await page.reload()
  await page.locator('#targets tbody tr').first().waitFor()
  const keptFor = await page.context().newPage()
  await keptFor.goto(`${server.url}/#view=operator`)
  await keptFor.getByLabel('Operator token').waitFor()
  await page.getByRole('button', { name: 'Forget the token' }).click()
  await page.getByLabel('Operator token').waitFor()
  t.equal(await page.evaluate(`sessionStorage.length`), 0)
})

type World = { readonly server: Running; readonly browser: Browser }

const TESTS: Readonly<Record<string, (t: Test, world: World) => Promise<void>>> = {
  'it draws series, asks nobody else, and complains of nothing': async (t, { server, browser }) => {
    const { page, complaints, requests } = await drawn(t, { server, browser })
    t.equal(await page.title(), 'tpch · SF 10 · nvme · vortex-ingest')
    t.ok((await pixelsOf(page, PARQUET)) > 500, 'series of parquet')
    t.ok((await pixelsOf(page, COMPACT)) > 500, 'series of vortex')
    t.ok(requests.length > 4)
    t.ok(requests.every(url => url.startsWith(server.url)))
    t.strictSame(complaints, [])
    await page.screenshot({ path: join(OUTPUT, 'light.png') })
  },

  'words leave series out of the table and off the chart': async (t, { server, browser }) => {
    const { page } = await drawn(t, { server, browser })
    t.equal(await page.locator('#series-rows tr').count(), 6)
    await page.getByRole('searchbox', { name: 'Find series' }).fill('vortex duckdb')
    t.strictSame(await lineNames(page), ['duckdb · vortex-compact', 'duckdb · vortex-file-compressed'])
    t.equal(await pixelsOf(page, PARQUET), 0)
    await page.getByRole('radio', { name: 'Others' }).check()
    t.strictSame(await lineNames(page), ['datafusion · parquet', 'duckdb · parquet'])
    t.equal(await pixelsOf(page, COMPACT), 0)
    await page.getByRole('searchbox', { name: 'Find a group' }).fill('size')
    t.strictSame(await page.locator('#group-list a').allInnerTexts(), ['taxi\n3'])
  },

  'a series can be taken off the chart, and stays off for who gets the link': async (t, { server, browser }) => {
    const { page } = await drawn(t, { server, browser })
    for (const name of ['datafusion · parquet', 'duckdb · parquet'])
      await page.getByRole('checkbox', { name }).uncheck()
    t.equal(await pixelsOf(page, PARQUET), 0)
    t.equal(await page.locator('#series-count').innerText(), '4 of 6 series drawn')
    const { page: other } = await drawn(t, { server, browser }, new URL(page.url()).hash)
    t.equal(await pixelsOf(other, PARQUET), 0)
    t.equal(await other.locator('#series-count').innerText(), '4 of 6 series drawn')
  },

  'a box that is unticked by keyboard keeps the focus': async (t, { server, browser }) => {
    const { page } = await drawn(t, { server, browser })
    await page.getByRole('checkbox', { name: 'duckdb · parquet' }).focus()
    await page.keyboard.press('Space')
    await until(page, `location.hash.includes('hide=')`)
    t.equal(
      await page.evaluate(`document.activeElement.closest('tr').querySelector('th').innerText`),
      'duckdb · parquet',
    )
  },

  'the commit under the pointer is told, with its link and its values': async (t, { server, browser }) => {
    const { page } = await drawn(t, { server, browser })
    await hover(page, 1)
    const card = page.locator('#card')
    const sha = shaOf(COMMITS - 1)
    t.match(await card.innerText(), /Use one buffer for all validity bitmaps/)
    t.match(await card.innerText(), /datafusion · parquet\s+4\d\.\d\sms/)
    t.equal(await card.locator('a').getAttribute('href'), `https://example.org/benchmarks/commit/${sha}`)
    t.equal(await page.locator('#series-at').innerText(), `At ${sha.slice(0, 7)}`)
    await page.screenshot({ path: join(OUTPUT, 'pointer.png') })
    await page.mouse.move(5, 5)
    await card.waitFor({ state: 'hidden' })
    t.equal(await page.locator('#series-at').innerText(), 'Latest')
  },

  'a click keeps a commit, so that its link can be reached': async (t, { server, browser }) => {
    const { page } = await drawn(t, { server, browser })
    await hover(page, 0.45)
    await page.mouse.down()
    await page.mouse.up()
    await page.mouse.move(5, 5)
    await page.locator('#card.pinned a').click({ trial: true })
    await page.screenshot({ path: join(OUTPUT, 'kept.png') })
    await page.keyboard.press('Escape')
    await page.locator('#card').waitFor({ state: 'hidden' })
  },

  'dragging shows fewer commits, and a link to them shows the same': async (t, { server, browser }) => {
    const { page } = await drawn(t, { server, browser })
    const all = await pictureOf(page)
    const box = (await page.locator('#chart .u-over').boundingBox())!
    await page.mouse.move(box.x + box.width * 0.5, box.y + 50)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.75, box.y + 50, { steps: 5 })
    await page.mouse.up()
    await until(page, `location.hash.includes('from=')`)
    const { hash } = new URL(page.url())
    t.match(hash, `from=${shaOf(30).slice(0, 7)}&to=${shaOf(44).slice(0, 7)}`)
    await page.mouse.move(5, 5)
    const zoomed = await pictureOf(page)
    t.not(zoomed, all)
    const { page: other } = await drawn(t, { server, browser }, hash)
    t.equal(await pictureOf(other), zoomed)
    await page.getByRole('button', { name: 'All commits' }).click()
    await until(page, `!location.hash.includes('from=')`)
    t.equal(await pictureOf(page), all)
  },

  'a link brings back group, panel, scale, comparison and number of commits': async (t, { server, browser }) => {
    const versus = encodeURIComponent('duckdb · parquet')
    const { page } = await drawn(t, { server, browser }, `#${TPCH}&panel=3&scale=log&versus=${versus}&n=50`)
    t.ok(await page.getByRole('radio', { name: 'Q3', exact: true }).isChecked())
    t.ok(await page.getByRole('radio', { name: 'Log' }).isChecked())
    t.equal(await page.getByLabel('Compare with').inputValue(), 'duckdb · parquet')
    t.equal(await page.getByLabel('How many commits').inputValue(), '50')
    t.match(await page.locator('#group-facts').innerText(), 'measured at 50 commits')
    t.equal(await cellOf(page, 'duckdb · parquet', 0), '1.00\u00a0×')
    await page.screenshot({ path: join(OUTPUT, 'compared.png') })
    await page.getByRole('radio', { name: 'Q4', exact: true }).check()
    t.match(page.url(), 'panel=4')
    await page.goBack()
    t.ok(await page.getByRole('radio', { name: 'Q3', exact: true }).isChecked())
  },

  'numbers are those that are stored': async (t, { server, browser }) => {
    const { page } = await drawn(t, { server, browser }, '#group=compression_size.taxi.~')
    t.equal(await cellOf(page, 'parquet', 0), '48.5\u00a0MB')
    const { body } = await get(server, `/api/measurements?commit=${shaOf(COMMITS - 1)}&kind=compression_size`)
    const rows = (body as { measurements: { format: string; value_bytes: number }[] }).measurements
    t.equal(rows.find(({ format }) => format === 'parquet')?.value_bytes, 48_450_000)
  },

  'sizes have their compression ratio beside them, and can be seen as ratios': async (t, { server, browser }) => {
    const { page, complaints } = await drawn(t, { server, browser }, '#group=compression_size.taxi.~')
    t.strictSame(await cellsOf(page, 'parquet'), ['48.5\u00a0MB', '4.21\u00a0×', '0.0\u00a0%', '1.15\u00a0×'])
    await hover(page, 1)
    t.match(await page.locator('#card').innerText(), /parquet\s+48\.5\sMB\s+4\.21\s×/)
    await page.screenshot({ path: join(OUTPUT, 'sizes.png') })
    const bytes = await pictureOf(page)
    await page.mouse.move(5, 5)
    await page.getByRole('radio', { name: 'Ratio' }).check()
    t.match(page.url(), 'measure=ratio')
    t.match(await page.locator('#group-facts').innerText(), 'higher is better')
    t.equal(await page.locator('#series-beside').innerText(), 'size')
    t.strictSame(await cellsOf(page, 'parquet'), ['4.21\u00a0×', '48.5\u00a0MB', '0.0\u00a0%', '0.87\u00a0×'])
    t.not(await pictureOf(page), bytes)
    await hover(page, 0.53)
    t.equal(await page.locator('#series-at').innerText(), `At ${shaOf(31).slice(0, 7)}`)
    t.match((await cellsOf(page, 'parquet'))[2], '▲ +5.3')
    t.ok(
      await page.locator('#series-rows tr', { hasText: 'parquet' }).locator('.better').isVisible(),
      'a higher ratio is better',
    )
    await page.screenshot({ path: join(OUTPUT, 'ratios.png') })
    const { page: other } = await drawn(t, { server, browser }, new URL(page.url()).hash)
    t.equal((await cellsOf(other, 'parquet'))[0], '4.21\u00a0×', 'a link shows the same')
    await other.getByRole('link', { name: /^tpch/ }).click()
    await other.getByText('Queries: tpch').waitFor()
    t.equal(await other.locator('#measures').isVisible(), false, 'times have no ratio')
    t.equal(await other.locator('#series-beside').isVisible(), false)
    t.strictSame(complaints, [])
  },

  'a link to ratios where none is known says so and shows what was measured': async (t, { server, browser }) => {
    const { page } = await drawn(t, { server, browser }, '#group=compression_time.taxi.~&measure=ratio')
    await page.getByText('This group has no compression ratios.').waitFor()
    t.match(await page.locator('#group-facts').innerText(), 'lower is better')
  },

  'hot and cold random access are series of their own': async (t, { server, browser }) => {
    const { page } = await drawn(t, { server, browser }, '#group=random_access_time.taxi')
    t.strictSame((await lineNames(page)).slice(0, 2), ['parquet (hot)', 'parquet (cold)'])
    t.equal(await page.locator('#series-rows tr').count(), 6)
    await page.screenshot({ path: join(OUTPUT, 'open-modes.png') })
    await page.getByRole('searchbox', { name: 'Find series' }).fill('cold parquet')
    t.strictSame(await lineNames(page), ['parquet (cold)'])
    await page.getByRole('searchbox', { name: 'Find series' }).fill('')
    await page.getByLabel('Compare with').selectOption({ label: '× parquet (cold)' })
    t.equal(await cellOf(page, 'parquet (cold)', 0), '1.00\u00a0×')
    const { page: other } = await drawn(t, { server, browser }, '#group=random_access_time.taxi&hide=parquet')
    t.notOk(await other.getByRole('checkbox', { name: 'parquet (hot)' }).isChecked(), 'older links mean the hot series')
    t.ok(await other.getByRole('checkbox', { name: 'parquet (cold)' }).isChecked())
  },

  'a group that is not measured at each commit shows the commits at which it is': async (t, { server, browser }) => {
    const { page } = await drawn(t, { server, browser }, '#group=vector_search_run.cohere.trained')
    t.match(await page.locator('#group-facts').innerText(), 'measured at 20 commits')
    t.ok((await pixelsOf(page, PARQUET)) > 100)
  },

  'everything can be done by keyboard': async (t, { server, browser }) => {
    const { page } = await drawn(t, { server, browser })
    await page.keyboard.press('Tab')
    t.equal(await focused(page), 'skip')
    await page.keyboard.press('Enter')
    t.equal(await focused(page), 'chart')
    await page.keyboard.press('ArrowLeft')
    await page.locator('#card').waitFor()
    t.equal(await page.locator('#series-at').innerText(), `At ${shaOf(COMMITS - 1).slice(0, 7)}`)
    await page.keyboard.press('Shift+ArrowLeft')
    await until(page, `document.querySelector('#series-at').innerText === 'At ${shaOf(49).slice(0, 7)}'`)
    await until(page, `document.querySelector('#spoken').textContent.startsWith('${shaOf(49).slice(0, 7)}, ')`)
    await page.keyboard.press('+')
    await until(page, `location.hash.includes('from=')`)
    await page.keyboard.press('Enter')
    t.equal(await page.evaluate(`document.activeElement.href`), `https://example.org/benchmarks/commit/${shaOf(49)}`)
    await page.keyboard.press('Escape')
    t.equal(await focused(page), 'chart')
    t.equal(await page.locator('#card').isVisible(), false)
    await page.keyboard.press('0')
    await until(page, `!location.hash.includes('from=')`)
  },

  'a phone shows it without scrolling sideways, and a finger finds a commit': async (t, { server, browser }) => {
    const { page, complaints } = await drawn(t, { server, browser }, '#view=charts', PHONE)
    t.equal(await page.evaluate(`document.documentElement.scrollWidth`), 375)
    await page.screenshot({ path: join(OUTPUT, 'phone.png'), fullPage: true })
    const box = (await page.locator('#chart .u-over').boundingBox())!
    await page.touchscreen.tap(box.x + box.width / 2, box.y + box.height / 2)
    await page.locator('#card.pinned a').waitFor()
    await page.locator('#groups summary').tap()
    await page.getByRole('link', { name: /^taxi 3/ }).tap()
    await page.getByText('Compressed size: taxi').waitFor()
    t.equal(await page.locator('#group-list').isVisible(), false, 'the list makes room for the chart')
    for (const [view, content] of [
      ['activity', '#activity table tbody tr'],
      ['operator', '#operator-none pre'],
    ] as const) {
      await page.goto(`${server.url}/#view=${view}`)
      await page.locator(content).first().waitFor()
      t.equal(await page.evaluate(`document.documentElement.scrollWidth`), 375, view)
    }
    t.strictSame(complaints, [])
  },

  'it is dark where the system is, or where the reader says so': async (t, { server, browser }) => {
    const { page } = await drawn(t, { server, browser }, '#view=charts', { colorScheme: 'dark' })
    t.ok((await pixelsOf(page, '#6ea8fe')) > 500)
    t.equal(await ground(page), 'rgb(20, 24, 29)')
    await page.screenshot({ path: join(OUTPUT, 'dark.png') })
    await page.getByLabel('Theme').selectOption('light')
    t.equal(await ground(page), 'rgb(247, 248, 250)')
    t.ok((await pixelsOf(page, COMPACT)) > 500)
    await page.reload()
    await page.locator('#chart canvas').first().waitFor()
    t.equal(await ground(page), 'rgb(247, 248, 250)', 'it is remembered')
  },

  'whoever cannot see it is told the same: axe finds nothing': async (t, { server, browser }) => {
    for (const colorScheme of ['light', 'dark'] as const)
      for (const [hash, content] of [
        ['#view=charts', '#series-rows tr'],
        ['#view=activity', '#activity table tbody tr'],
        ['#view=operator', '#operator-none pre'],
      ] as const) {
        const { page } = await openPage(t, browser, `${server.url}/${hash}`, { colorScheme })
        await page.locator(content).first().waitFor()
        await rested(page)
        if (hash === '#view=charts') await hover(page, 0.5)
        t.strictSame(await violations(page), [], `${colorScheme} ${hash}`)
        await page.evaluate(`document.body.append(new Image())`)
        t.match(await violations(page), [/^image-alt/], 'what is wrong is found')
        await page.context().close()
      }
  },

  'the last pushes and their state are shown': async (t, { server, browser }) => {
    await fetch(`${server.url}/api/ingest`, { method: 'POST', body: '{}' })
    const { page } = await openPage(t, browser, `${server.url}/#view=activity`)
    const first = page.locator('#pushes tbody tr').first()
    await first.waitFor()
    t.match(await first.innerText(), new RegExp(`applied\\s+${shaOf(COMMITS - 1).slice(0, 7)}\\s+\\d+\\s+\\d+\\s+0`))
    t.match(await page.locator('#commits tbody tr').first().innerText(), /Use one buffer .*\s+Zoë/)
    await page.screenshot({ path: join(OUTPUT, 'activity.png') })
  },

  'a server without operators says why, and what to do; a token is forgotten': async (t, { server, browser }) => {
    const { page, complaints } = await openPage(t, browser, `${server.url}/#view=charts`)
    await page.evaluate(`sessionStorage.setItem('vortex-ingest-operator-token', 'of-another-server')`)
    await page.getByRole('link', { name: 'Operator' }).click()
    await page.getByText('because it was started without a state or without an operator token').waitFor()
    await page.getByText('VORTEX_INGEST_OPERATOR_TOKEN=… vortex-ingest serve --state PLACE').waitFor()
    t.equal(await page.getByLabel('Operator token').isVisible(), false, 'no token would help')
    t.equal(await page.evaluate(`sessionStorage.length`), 0)
    t.strictSame(complaints, [])
  },
}

async function drawn(
  t: Test,
  { server, browser }: World,
  hash = '#view=charts',
  options: BrowserContextOptions = {},
): Promise<Opened> {
  const opened = await openPage(t, browser, `${server.url}/${hash}`, options)
  await opened.page.locator('#chart canvas').first().waitFor()
  await opened.page.locator('#series-rows tr').first().waitFor()
  return opened
}

async function hover(page: Page, share: number): Promise<void> {
  const box = (await page.locator('#chart .u-over').boundingBox())!
  await page.mouse.move(box.x + (box.width - 2) * share, box.y + box.height / 2)
  await page.locator('#card').waitFor()
}

function lineNames(page: Page): Promise<readonly string[]> {
  return page.locator('#series-rows th').allInnerTexts()
}

async function cellOf(page: Page, name: string, column: number): Promise<string | null> {
  return page.getByRole('row', { name }).locator('td.number').nth(column).textContent()
}

/** The numbers of a series: value, other measure, change to the previous commit, comparison with the best. */
function cellsOf(page: Page, name: string): Promise<readonly string[]> {
  return page.locator('#series-rows tr', { hasText: name }).locator('td.number').allTextContents()
}

function focused(page: Page): Promise<string> {
  return page.evaluate<string>(`document.activeElement.id`)
}

function ground(page: Page): Promise<string> {
  return page.evaluate<string>(`getComputedStyle(document.body).backgroundColor`)
}

async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source)
  const found = await page.evaluate<{
    violations: { id: string; nodes: { html: string; failureSummary: string }[] }[]
  }>(`axe.run(document)`)
  return found.violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => html + failureSummary).join()}`,
  )
}
