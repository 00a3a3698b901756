/** Tests a chart with many series in a real browser: drawing is split over frames and completes, and two fingers zoom. */

import { createHash } from 'node:crypto'
import type { Page } from 'playwright-core'
import { isDeepStrictEqual } from 'node:util'
import t, { type Test } from 'tap'
import { waitUntil } from '../fixtures/wait-until.js'
import { startServer } from '../server/fixtures/server.js'
import { startStore } from '../server/fixtures/store.js'
import { findChromium, openPage, startBrowser, until } from './fixtures/browser.js'
import { CROWD, fillCrowd } from './fixtures/crowd.js'
import { pictureOf } from './fixtures/pixels.js'
import { PAGE_FOLDER } from './fixtures/server.js'
import { placesOn, touchOf } from './fixtures/touch.js'

const executable = findChromium()
const skip = executable === undefined && 'no Chromium here: set VORTEX_INGEST_TEST_CHROMIUM to the path of one'
const PHONE = { viewport: { width: 375, height: 760 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 }
const [COMMITS, SERIES] = [160, 400]
const ALL = COMMITS * SERIES

t.test('in a browser, many series', { skip }, async t => {
  const store = await startStore(t)
  await fillCrowd(store, { commits: COMMITS, series: SERIES })
  const server = await startServer(t, { store, pageFolder: PAGE_FOLDER })
  const browser = await startBrowser(t, executable!)
  const open = (hash: string): ReturnType<typeof openPage> =>
    openPage(t, browser, `${server.url}/#${CROWD}&panel=all${hash}`, {}, watchFrames)
  const { page, complaints } = await open('')
  await page.locator('#series-rows tr').first().waitFor()

  await t.test('series and rows come a part a frame, after a sketch', async t => {
    const frames = await framesUntilRest(page)
    t.equal(await page.locator('#series-rows tr').count(), SERIES)
    t.equal(sum(frames, 'rows'), SERIES)
    t.ok(most(frames, 'rows') <= 100, `${most(frames, 'rows')} rows`)
    t.ok(sum(frames, 'points') >= ALL, 'all points are drawn')
    t.ok(sum(frames, 'points') < 1.5 * ALL, 'and once, but for the sketch')
    t.ok(most(frames, 'points') < 0.6 * ALL, `${most(frames, 'points')} points`)
  })

  await t.test('what is asked for many times in a frame is drawn once', async t => {
    const whole = await pictureOf(page)
    await pressAtOnce(page, ['+', '+', '-', '-', '+', '-', '0'])
    const frames = await framesUntilRest(page)
    t.ok(sum(frames, 'points') >= ALL)
    t.ok(sum(frames, 'points') < 1.5 * ALL, `${sum(frames, 'points')} points`)
    t.ok((await pictureOf(page)) === whole, 'it looks as it did')
  })

  await t.test('what is drawn while something else was is as if it had been drawn alone', async t => {
    await page.locator('#chart').focus()
    for (const key of ['+', '+', '-']) await page.keyboard.press(key)
    await assertSpan(t, page, { from: 41, to: 119 })
    await framesUntilRest(page)
    const { page: other } = await open(new URL(page.url()).hash.replace(/.*&panel=all/, ''))
    await other.locator('#series-rows tr').first().waitFor()
    await framesUntilRest(other)
    t.ok((await pictureOf(page)) === (await pictureOf(other)))
  })

  await t.test('words change the series, and rows that stay are the same', async t => {
    await page.getByRole('searchbox', { name: 'Find series' }).fill('q1 engine-2')
    await framesUntilRest(page)
    const few = await page.locator('#series-rows tr').count()
    t.ok(few > 0 && few < SERIES / 4, `${few} rows`)
    t.match(await page.locator('#series-count').innerText(), `${few} of ${few} series drawn`)
    await page.evaluate(`window.row = document.querySelector('#series-rows tr')`)
    await page.getByRole('searchbox', { name: 'Find series' }).fill('')
    await framesUntilRest(page)
    t.equal(await page.locator('#series-rows tr').count(), SERIES)
    t.ok(await page.evaluate(`window.row.isConnected`), 'none is made twice')
    t.strictSame(complaints, [])
  })

  await t.test('fingers that part show fewer commits, and neither scroll nor zoom the page', async t => {
    const { page, complaints } = await openPage(t, browser, `${server.url}/#${CROWD}`, PHONE)
    const at = await placesOn(page)
    const touch = await touchOf(page)
    await touch.pair([at(0.4), at(0.6)], [at(0.2, 0.3), at(0.8, 0.3)])
    await assertSpan(t, page, { from: 53, to: 106 }, 'a third of them, around the middle')
    t.strictSame(await windowOf(page), { scale: 1, top: 0, left: 0 })
    t.equal(await page.locator('#card').isVisible(), false, 'no finger of two reads')

    await touch.pair([at(0.3), at(0.7)], [at(0.5), at(0.9)])
    await assertSpan(t, page, { from: 42, to: 95 }, 'side by side they move it')

    await touch.pair([at(0.1), at(0.9)], [at(0.45), at(0.55)])
    await assertSpan(t, page, undefined)
    t.strictSame(await windowOf(page), { scale: 1, top: 0, left: 0 })
    t.strictSame(complaints, [])
  })

  await t.test('one finger still scrolls the page up and down, and reads from side to side', async t => {
    const { page } = await openPage(t, browser, `${server.url}/#${CROWD}`, PHONE)
    const at = await placesOn(page)
    const touch = await touchOf(page)
    await touch.one(at(0.2), at(0.8))
    await page.locator('#card').waitFor()
    t.strictSame(await windowOf(page), { scale: 1, top: 0, left: 0 })
    await touch.one(at(0.5, 0.9), at(0.5, 0.1))
    await until(page, 'scrollY > 50')
    await page.locator('#chart').press('+')
    await assertSpan(t, page, { from: 40, to: 120 }, 'all commits were still shown')
  })

  await t.test('on a trackpad the chart is zoomed and moved, and not the page', async t => {
    const { page } = await openPage(t, browser, `${server.url}/#${CROWD}`, { viewport: { width: 1280, height: 600 } })
    const at = await placesOn(page)
    const { x, y } = at(0.5)
    await page.mouse.move(x, y)
    await page.keyboard.down('Control')
    for (let step = 0; step < 10; step++) await page.mouse.wheel(0, -10)
    await page.keyboard.up('Control')
    await assertSpan(t, page, { from: 50, to: 109 }, 'by e, around the pointer')
    t.strictSame(await windowOf(page), { scale: 1, top: 0, left: 0 })

    await page.mouse.wheel((at(1).x - at(0).x) * (10 / 59), 0)
    await assertSpan(t, page, { from: 60, to: 119 }, 'to the right')

    await page.mouse.wheel(0, 200)
    await until(page, 'scrollY > 50')
    await page.locator('#chart').press('+')
    await assertSpan(t, page, { from: 75, to: 104 }, 'up and down moved the page and not the chart')
  })
})

function sum(frames: readonly Frame[], what: keyof Frame): number {
  return frames.reduce((total, frame) => total + frame[what], 0)
}

function most(frames: readonly Frame[], what: keyof Frame): number {
  return Math.max(...frames.map(frame => frame[what]))
}

function pressAtOnce(page: Page, keys: readonly string[]): Promise<void> {
  return page.evaluate<void>(`for (const key of ${JSON.stringify(keys)})
    document.querySelector('#chart').dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }))`)
}

type Span = { readonly from: number; readonly to: number }

/** Waits until the page's address has the indexes of these first and last commits, or none of them. */
async function assertSpan(t: Test, page: Page, span: Span | undefined, message = 'the span'): Promise<void> {
  const isReached = (): boolean => isDeepStrictEqual(spanOf(page), span)
  await waitUntil(isReached, { deadlineMs: 10_000 }).catch(() => undefined)
  t.strictSame(spanOf(page), span, message)
}

function spanOf(page: Page): Span | undefined {
  const hash = new URLSearchParams(new URL(page.url()).hash.slice(1))
  if (!hash.has('from')) return undefined
  const placeOf = (name: string): number =>
    Array.from({ length: COMMITS }, (_, index) => crowdSha(index).slice(0, 7)).indexOf(hash.get(name) ?? '')
  return { from: placeOf('from'), to: placeOf('to') }
}

function windowOf(page: Page): Promise<{ readonly scale: number; readonly top: number; readonly left: number }> {
  return page.evaluate(`({ scale: visualViewport.scale, top: scrollY, left: scrollX + visualViewport.offsetLeft })`)
}

type Frame = {
  /** Number of points added to paths. */
  readonly points: number
  /** Number of table rows added. */
  readonly rows: number
}

/** Starts recording. Must be called before the page is opened. */
async function watchFrames(page: Page): Promise<void> {
  await page.addInitScript(`{
    let [points, rows] = [0, 0]
    window.frames_ = []
    const { lineTo } = CanvasRenderingContext2D.prototype
    CanvasRenderingContext2D.prototype.lineTo = function (left, top) {
      points++
      lineTo.call(this, left, top)
    }
    const tick = () => {
      const now = document.querySelectorAll('#series-rows tr').length
      window.frames_.push({ points, rows: now - rows })
      ;[points, rows] = [0, now]
      requestAnimationFrame(tick)
    }
    requestAnimationFrame(tick)
  }`)
}

/** The frames since the last call, after waiting until nothing more is drawn. */
async function framesUntilRest(page: Page): Promise<readonly Frame[]> {
  return page.evaluate<readonly Frame[]>(`(async () => {
    const isBusy = ({ points, rows }) => points > 0 || rows > 0
    for (let still = 0; still < 10; ) {
      await new Promise(done => requestAnimationFrame(done))
      still = isBusy(window.frames_.at(-1)) ? 0 : still + 1
    }
    return window.frames_.splice(0).filter(isBusy)
  })()`)
}

/** SHA of a commit. @param index from 0 */
function crowdSha(index: number): string {
  return createHash('md5')
    .update(String(index + 1))
    .digest('hex')
}
