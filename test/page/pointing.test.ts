/** Tests, in a real browser, that cursor, dot and table always show the same commit. */

import type { Page } from 'playwright-core'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { findChromium, openPage, OUTPUT, rested, startBrowser, until } from './fixtures/browser.js'
import { shaOf, startWithHistory } from './fixtures/server.js'

const executable = findChromium()
const skip = executable === undefined && 'no Chromium here: set VORTEX_INGEST_TEST_CHROMIUM to the path of one'
const COMMITS = 30
/** A view with a single line, so that it is always the nearest one. */
const ALONE = '#group=query_measurement.tpch.~.10.nvme&panel=1&find=duckdb+parquet'

t.test('in a browser, what is pointed at', { skip }, async t => {
  const server = await startWithHistory(t, COMMITS)
  const browser = await startBrowser(t, executable!)
  const open = async (hash: string): Promise<Page> => {
    const { page } = await openPage(t, browser, `${server.url}/${hash}`, {}, watchCanvases)
    await page.locator('#series-rows tr').first().waitFor()
    return page
  }

  await t.test('the dot is at the commit under the cursor, also on the same line and after a zoom', async t => {
    const page = await open(ALONE)
    const { x, y, width } = (await page.locator('#chart .u-over').boundingBox())!
    for (const share of [0.5, 0.55, 0.3]) {
      await page.mouse.move(x + width * share, y + 50)
      await isAtCursor(t, page, `at ${share}`)
    }
    await page.mouse.down()
    await page.mouse.move(x + width * 0.5, y + 50, { steps: 3 })
    await isAtCursor(t, page, 'while it is dragged')
    await page.mouse.move(x + width * 0.7, y + 50, { steps: 3 })
    await page.mouse.up()
    await until(page, `location.hash.includes('from=')`)
    await isAtCursor(t, page, 'after it was')
  })

  await t.test('the dot and the card stay when the changes arrive under a resting cursor', async t => {
    let release = (): void => undefined
    const held = new Promise<void>(resolve => (release = resolve))
    const { page } = await openPage(t, browser, `${server.url}/${ALONE}`, {}, async page => {
      await watchCanvases(page)
      await page.route('**/api/changes', async route => (await held, route.continue()))
    })
    await page.locator('#series-rows tr').first().waitFor()
    const { x, y, width } = (await page.locator('#chart .u-over').boundingBox())!
    await page.mouse.move(x + width * 0.4, y + 50)
    await isAtCursor(t, page, 'before')
    const { redraws } = await overLines(page)
    release()
    await until(page, `window.drawn_.redraws > ${redraws}`)
    await isAtCursor(t, page, 'after')
    t.equal(await page.locator('#card').isVisible(), true)
  })

  await t.test('zooming by keys and by buttons keeps the commit that was chosen by keys', async t => {
    const page = await open(ALONE)
    await page.locator('#chart').focus()
    for (const key of ['End', 'ArrowLeft', 'ArrowLeft']) await page.keyboard.press(key)
    const sha = `At ${shaOf(COMMITS - 3).slice(0, 7)}`
    await until(page, `document.querySelector('#series-at').innerText === '${sha}'`)
    for (const key of ['+', '+', '+', '-', '+', '-', '0', '+', '0']) {
      await page.keyboard.press(key)
      await rested(page)
      t.equal(await page.locator('#series-at').innerText(), sha, key)
      await isAtCursor(t, page, key)
    }
    for (const name of ['Zoom in', 'Zoom out', 'All commits']) {
      await page.getByRole('button', { name }).press('Enter')
      await rested(page)
      t.equal(await page.locator('#series-at').innerText(), sha, name)
    }
  })

  await t.test('keys that come faster than frames each count', async t => {
    const page = await open(ALONE)
    await page.evaluate(`for (const key of ['End', 'ArrowLeft', 'ArrowLeft', 'ArrowLeft'])
      document.querySelector('#chart').dispatchEvent(new KeyboardEvent('keydown', { key }))`)
    await rested(page)
    t.equal(await page.locator('#series-at').innerText(), `At ${shaOf(COMMITS - 4).slice(0, 7)}`)
  })

  await t.test('the card of a commit that is kept goes with it', async t => {
    const page = await open(ALONE)
    const { x, y, width } = (await page.locator('#chart .u-over').boundingBox())!
    await page.mouse.click(x + width * 0.4, y + 50)
    const left = `document.querySelector('#card').style.left`
    const before = await page.evaluate<string>(left)
    await page.mouse.move(5, 5)
    for (const key of ['+', '+']) await page.keyboard.press(key)
    await rested(page)
    const [mark = 0] = (await overLines(page)).marks
    const { x: frame } = (await page.locator('.frame:has(#chart)').boundingBox())!
    t.not(await page.evaluate<string>(left), before)
    t.ok(Math.abs(parseFloat(await page.evaluate<string>(left)) - (x - frame) - mark) < 3)
  })

  await t.test('a line that stands out keeps its dashes', async t => {
    const page = await open(ALONE.replace('&find=duckdb+parquet', ''))
    for (const [name, dashes] of [
      ['datafusion · parquet', []],
      ['duckdb · parquet', [7, 4]],
    ] as const) {
      await page.getByRole('rowheader', { name }).hover()
      await rested(page)
      t.strictSame((await overLines(page)).dashes, [dashes], name)
    }
    await page.screenshot({ path: join(OUTPUT, 'dashes.png') })
  })

  await t.test('the least value and the first time do not touch', async t => {
    const page = await open('#group=query_measurement.tpch.~.10.nvme&panel=all&scale=linear')
    await rested(page)
    const labels = await labelsOf(page)
    const least = labels.find(({ text }) => text === '0\u00a0ns')!
    const times = labels.filter(({ text }) => text.includes('Jan'))
    t.ok(times.length > 2)
    for (const time of times) t.ok(apart(least, time) >= 6, `${time.text}: ${apart(least, time)}`)
  })
})

async function isAtCursor(t: Test, page: Page, when: string): Promise<void> {
  await rested(page)
  const cursor = await page.evaluate<number>(
    `new DOMMatrix(getComputedStyle(document.querySelector('#chart .u-cursor-x')).transform).e`,
  )
  const { dots } = await overLines(page)
  t.equal(dots.length, 1, when)
  t.ok(Math.abs(dots[0]! - cursor) <= 1, `${when}: the dot is at ${dots[0]}, the cursor at ${cursor}`)
}

/** Distance in pixels between two labels. */
function apart(one: Label, other: Label): number {
  const across = Math.max(one.left - other.right, other.left - one.right)
  return Math.max(across, one.top - other.bottom, other.top - one.bottom)
}

/** Drawings of the overlay: the highlighted line and the marked commit, in pixels of the lines' area. */
type OverLines = {
  readonly dots: readonly number[]
  readonly marks: readonly number[]
  /** Number of times that the lines were drawn. */
  readonly redraws: number
  /** Dash pattern of each stroke. */
  readonly dashes: readonly (readonly number[])[]
}

/** A label of an axis, in pixels of its canvas. */
type Label = { readonly text: string; readonly left: number; readonly right: number } & Heights

type Heights = { readonly top: number; readonly bottom: number }

/** Starts recording. Must be called before the page is opened. */
async function watchCanvases(page: Page): Promise<void> {
  await page.addInitScript(`{
    window.drawn_ = { dots: [], marks: [], dashes: [], labels: [], redraws: 0 }
    const canvas = CanvasRenderingContext2D.prototype
    const isOver = ({ canvas }) => canvas.classList.contains('overlay')
    const isAxes = ({ canvas }) => !canvas.classList.contains('layer')
    const onCall = (name, tell) => {
      const original = canvas[name]
      canvas[name] = function (...args) {
        tell(this, ...args)
        return original.apply(this, args)
      }
    }
    onCall('clearRect', context => {
      if (isOver(context)) Object.assign(window.drawn_, { dots: [], marks: [], dashes: [] })
      if (isAxes(context)) window.drawn_.labels = []
      if (context.canvas.classList.contains('lines')) window.drawn_.redraws++
    })
    onCall('arc', (context, left) => isOver(context) && window.drawn_.dots.push(left))
    onCall('moveTo', (context, left) => isOver(context) && window.drawn_.marks.push(left))
    onCall('stroke', context => isOver(context) && window.drawn_.dashes.push(context.getLineDash()))
    onCall('fillText', (context, text, x, y) => {
      const box = context.measureText(text)
      const [left, right] = [x - box.actualBoundingBoxLeft, x + box.actualBoundingBoxRight]
      const [top, bottom] = [y - box.actualBoundingBoxAscent, y + box.actualBoundingBoxDescent]
      if (isAxes(context)) window.drawn_.labels.push({ text, left, right, top, bottom })
    })
  }`)
}

function overLines(page: Page): Promise<OverLines> {
  return page.evaluate<OverLines>(`window.drawn_`)
}

function labelsOf(page: Page): Promise<readonly Label[]> {
  return page.evaluate<readonly Label[]>(`window.drawn_.labels`)
}
