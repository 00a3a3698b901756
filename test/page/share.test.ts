/** Tests, in a real browser, what can be taken from the page, and the ways to read lines that differ much or spread. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BrowserContextOptions, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import type { HistoryAnswer } from '../../src/server/read/answers.js'
import { get } from '../server/fixtures/server.js'
import { findChromium, openPage, OUTPUT, rested, startBrowser, until, type Opened } from './fixtures/browser.js'
import { MIXED, pushMixed } from './fixtures/mixed.js'
import { colourExtent, pictureOf, pixelsOf } from './fixtures/pixels.js'
import { shaOf, startWithHistory } from './fixtures/server.js'

const executable = findChromium()
const skip = executable === undefined && 'no Chromium here: set VORTEX_INGEST_TEST_CHROMIUM to the path of one'
const COMMITS = 24
const TPCH = 'group=query_measurement.tpch.~.10.nvme'
const [PARQUET, VORTEX] = ['#c2410c', '#1d4ed8']

t.test('in a browser, sharing and reading', { skip }, async t => {
  const server = await startWithHistory(t, COMMITS)
  await pushMixed(server, COMMITS)
  const browser = await startBrowser(t, executable!)
  const drawn = async (t: Test, hash: string, options: BrowserContextOptions = {}): Promise<Opened> => {
    const opened = await openPage(t, browser, `${server.url}/#${hash}`, options)
    await opened.page.locator('#series-rows tr').first().waitFor()
    await rested(opened.page)
    return opened
  }

  await t.test('a copied link shows the same lines, commits, filter and pinned commit', async t => {
    const { page } = await drawn(t, `${TPCH}&panel=3`, { permissions: ['clipboard-read', 'clipboard-write'] })
    await page.getByRole('searchbox', { name: 'Find series' }).fill('duckdb')
    await page.getByRole('button', { name: 'Hide all' }).click()
    await page.getByRole('checkbox', { name: 'duckdb · parquet' }).check()
    await page.getByRole('button', { name: 'Zoom in' }).click()
    const box = (await page.locator('#chart .u-over').boundingBox())!
    await page.mouse.click(box.x + box.width * 0.5, box.y + 50)
    await page.mouse.move(5, 5)
    await page.getByRole('button', { name: 'Copy link' }).click()
    await page.getByText('Link copied.').waitFor()
    const link = await page.evaluate<string>('navigator.clipboard.readText()')
    const { page: other } = await drawn(t, new URL(link).hash.slice(1))
    t.equal(await other.locator('#series-count').innerText(), '1 of 3 series drawn')
    t.equal(await pictureOf(other), await pictureOf(page))
    await other.locator('#card.pinned').waitFor()
    t.equal(await other.locator('#card').innerText(), await page.locator('#card').innerText())
    t.equal(await other.locator('#series-at').innerText(), await page.locator('#series-at').innerText())
    const left = 'document.querySelector("#card").style.left'
    t.equal(await other.evaluate(left), await page.evaluate(left))
    await other.locator('#chart').press('Escape')
    await until(other, `!location.hash.includes('at=')`)
  })

  await t.test('a link can be copied where the browser offers no clipboard, as over plain HTTP', async t => {
    const { page } = await openPage(t, browser, `${server.url}/#${TPCH}`, {}, async page => {
      await page.addInitScript(`Object.defineProperty(navigator, 'clipboard', { value: undefined })`)
    })
    await page.locator('#series-rows tr').first().waitFor()
    await page.getByRole('button', { name: 'Copy link' }).click()
    await page.getByText('Link copied.').waitFor()
    await page.getByRole('searchbox', { name: 'Find series' }).press('ControlOrMeta+v')
    t.match(await page.getByRole('searchbox', { name: 'Find series' }).inputValue(), `${server.url}/#group=query`)
  })

  await t.test('all lines can be hidden, and a link to that shows none', async t => {
    const { page } = await drawn(t, TPCH)
    await page.getByRole('button', { name: 'Hide all' }).click()
    await page.getByText('All series are hidden.').waitFor()
    t.match(page.url(), /only=$/, 'no list of all of them')
    const { page: other } = await drawn(t, new URL(page.url()).hash.slice(1))
    t.equal(await other.locator('#series-count').innerText(), '0 of 6 series drawn')
  })

  await t.test('the drawn lines are saved as a table with the values that are stored', async t => {
    const { page } = await drawn(t, `${TPCH}&panel=3&find=parquet&from=${shaOf(10)}&to=${shaOf(20)}`)
    const { name, bytes } = await downloaded(page, 'CSV')
    t.equal(name, 'Queries-tpch-SF-10-nvme-Q3.csv')
    const rows = bytes.toString().replace('\ufeff', '').trimEnd().split('\r\n')
    t.equal(rows[0], 'commit,time,message,author,datafusion · parquet (ns),duckdb · parquet (ns)')
    t.equal(rows.length, 1 + 11)
    const { body } = await get(server, '/api/history/query_measurement.tpch.~.10.nvme')
    const { series } = body as unknown as HistoryAnswer
    const values = (engine: string): readonly (number | null)[] =>
      series.find(({ key }) => key.join() === `3,${engine},parquet`)!.values
    for (const [index, row] of rows.slice(1).entries()) {
      t.ok(row.startsWith(`${shaOf(10 + index)},2026-01-`))
      t.ok(row.endsWith(`,${values('datafusion')[10 + index]},${values('duckdb')[10 + index]}`), row)
    }
  })

  await t.test('the chart is saved as a picture with its lines and their names', async t => {
    const { page, complaints } = await drawn(t, `${TPCH}&panel=3&find=datafusion`)
    const { name, bytes } = await downloaded(page, 'PNG')
    t.equal(name, 'Queries-tpch-SF-10-nvme-Q3.png')
    const blank = await page.context().newPage()
    const { height, parquet } = await blank.evaluate<{ height: number; parquet: number }>(`(async () => {
      const bytes = Uint8Array.from(atob('${bytes.toString('base64')}'), one => one.charCodeAt(0))
      const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }))
      const context = new OffscreenCanvas(image.width, image.height).getContext('2d')
      context.drawImage(image, 0, 0)
      const { data } = context.getImageData(0, 0, image.width, image.height)
      let parquet = 0
      for (let at = 0; at < data.length; at += 4)
        if (Math.abs(data[at] - 0xc2) < 24 && Math.abs(data[at + 1] - 0x41) < 24 && Math.abs(data[at + 2] - 0x0c) < 24) parquet++
      return { height: image.height, parquet }
    })()`)
    t.ok(parquet > 500, `${parquet} pixels of a line`)
    t.ok(height > (await page.locator('#chart').boundingBox())!.height + 40, 'a title and a legend')
    t.strictSame(complaints, [])
  })

  await t.test('a line far below another can be read at once, and its step in relative values', async t => {
    const { page } = await drawn(t, MIXED)
    t.ok(await page.getByRole('radio', { name: 'Log' }).isChecked(), 'chosen because the lines differ')
    t.match(await page.locator('#scale-note').innerText(), 'Log scale: the highest line is 2,500 × the lowest.')
    t.ok((await pixelsOf(page, VORTEX)) > 500)
    await page.screenshot({ path: join(OUTPUT, 'far-apart.png') })
    await page.getByRole('radio', { name: 'Linear' }).check()
    t.match(page.url(), 'scale=linear')
    t.match(await page.locator('#scale-note').innerText(), 'Choose Log or Relative to see the low ones.')
    t.ok((await colourExtent(page, VORTEX)) < 25, 'flat on a linear scale, but for the mark of its step')
    await page.getByRole('radio', { name: 'Relative' }).check()
    t.ok((await colourExtent(page, VORTEX)) > 150, 'the step is seen')
    const cells = page.getByRole('row', { name: 'vortex-compact' }).locator('td.number')
    t.strictSame((await cells.allTextContents()).slice(0, 2), ['1.27\u00a0×', '635\u00a0µs'])
    t.equal(await page.locator('#series-beside').innerText(), 'time')
    await page.getByRole('searchbox', { name: 'Find series' }).fill('vortex')
    await page.goto(`${server.url}/#${MIXED}&find=vortex`)
    await until(page, `document.querySelector('#scale input:checked')?.value === 'linear'`)
    t.equal(await page.locator('#scale-note').innerText(), '', 'one line alone is on a linear scale')
  })

  await t.test('the spread of the runs is a band, which is loaded only when it is asked for', async t => {
    const { page, requests } = await drawn(t, `${MIXED}&find=vortex`)
    const history = (): readonly string[] => requests.filter(url => url.includes('/api/history/'))
    t.notOk(history().some(url => url.includes('runs=')))
    t.ok((await pixelsOf(page, VORTEX, [30, 70])) < 500, 'only edges of the line')
    await page.getByLabel('Spread of runs').check()
    await until(page, `location.hash.includes('spread=runs')`)
    await page.locator('#notice').waitFor({ state: 'hidden' })
    t.ok((await pixelsOf(page, VORTEX, [30, 70])) > 5_000, 'a light band')
    t.match(history().at(-1), 'runs=quartiles')
    await page.screenshot({ path: join(OUTPUT, 'spread.png') })
    await page.getByLabel('Spread of runs').uncheck()
    await until(page, `!location.hash.includes('spread')`)
    await rested(page)
    t.ok((await pixelsOf(page, VORTEX, [30, 70])) < 500, 'only edges of the line')
  })

  await t.test('two groups are shown side by side, at the same time', async t => {
    const { page, complaints } = await drawn(t, 'group=compression_time.taxi.~')
    await page.getByLabel('Group beside this one').selectOption({ label: 'Compressed size: taxi' })
    await page.locator('#second-names li').first().waitFor()
    t.match(page.url(), 'beside=compression_size.taxi')
    t.ok((await pixelsOf(page, PARQUET, undefined, '#second-chart')) > 100)
    const [left, right] = [
      await page.locator('#chart').boundingBox(),
      await page.locator('#second-chart').boundingBox(),
    ]
    t.ok(right!.x > left!.x + left!.width - 1 && Math.abs(right!.y - left!.y) < 2)
    const before = await pictureOf(page, '#second-chart')
    await page.getByRole('button', { name: 'Zoom in', exact: true }).first().click()
    await until(page, `location.hash.includes('from=')`)
    t.not(await pictureOf(page, '#second-chart'), before, 'both are zoomed')
    await page.screenshot({ path: join(OUTPUT, 'two-groups.png') })
    const { page: other } = await drawn(t, new URL(page.url()).hash.slice(1))
    await other.locator('#second-names li').first().waitFor()
    t.equal(await pictureOf(other, '#second-chart'), await pictureOf(page, '#second-chart'))
    t.strictSame(complaints, [])
  })
})

async function downloaded(page: Page, button: string): Promise<{ readonly name: string; readonly bytes: Buffer }> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: button }).click(),
  ])
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) }
}
