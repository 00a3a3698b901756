/** Simulates the actions of a reader on the page and measures the durations of frames and tasks meanwhile. */

import type { Page } from 'playwright-core'
import { touchOf, placesOn } from '../test/page/fixtures/touch.js'

const STEPS = 40

type Act = (page: Page) => Promise<void>

export const ACTS: Readonly<Record<string, Act>> = {
  'pointer moves': movePointer,
  'drag to zoom': dragToZoom,
  'zoom by keys': zoomByKeys,
  'zoom by two fingers': pinch,
  'words typed': typeWords,
  'lines unticked': untick,
}

export type Measured = {
  /** Times between frames, sorted by length. */
  readonly framesMs: readonly number[]
  /** Processor times of tasks on the page's main thread, sorted by length. */
  readonly tasksCpuMs: readonly number[]
}

/** Frame times depend on the machine's load. The processor time of tasks depends on the page alone. */
export async function measured(page: Page, act: Act): Promise<Measured> {
  const tasks = await tasksOf(page)
  await page.evaluate(`(() => {
    window.times = []
    let last = performance.now()
    const next = now => (window.times.push(now - last), (last = now), (window.watching = requestAnimationFrame(next)))
    window.watching = requestAnimationFrame(next)
  })()`)
  await act(page)
  const framesMs = await page.evaluate<number[]>(`(cancelAnimationFrame(window.watching), window.times.slice(1))`)
  return { framesMs: framesMs.sort(byLength), tasksCpuMs: await tasks() }
}

type TraceEvent = {
  readonly name: string
  readonly ph: string
  readonly pid: number
  readonly tid: number
  /** Processor time in µs. */
  readonly tdur?: number
}

/** @returns a function that stops tracing and returns the processor times of the tasks */
async function tasksOf(page: Page): Promise<() => Promise<readonly number[]>> {
  const session = await page.context().newCDPSession(page)
  const events: TraceEvent[] = []
  session.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])))
  const traceConfig = { includedCategories: ['toplevel', 'devtools.timeline'] }
  await session.send('Tracing.start', { traceConfig, transferMode: 'ReportEvents' })
  return async () => {
    const complete = new Promise<void>(resolve => session.once('Tracing.tracingComplete', () => resolve()))
    await session.send('Tracing.end')
    await complete
    await session.detach()
    const main = events.find(({ name }) => name === 'FireAnimationFrame')
    return events
      .filter(({ name, ph }) => name.endsWith('RunTask') && ph === 'X')
      .filter(({ pid, tid }) => pid === main?.pid && tid === main.tid)
      .map(({ tdur = 0 }) => tdur / 1000)
      .sort(byLength)
  }
}

function byLength(one: number, other: number): number {
  return one - other
}

async function movePointer(page: Page): Promise<void> {
  const box = (await page.locator('#chart .u-over').boundingBox())!
  for (let step = 0; step <= STEPS; step++)
    await page.mouse.move(box.x + (box.width * step) / STEPS, box.y + 40 + ((step * 17) % 200))
  await page.mouse.move(5, 5)
  await page.waitForTimeout(300)
}

async function dragToZoom(page: Page): Promise<void> {
  const box = (await page.locator('#chart .u-over').boundingBox())!
  await page.mouse.move(box.x + box.width * 0.2, box.y + 60)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width * 0.8, box.y + 60, { steps: STEPS })
  await page.mouse.up()
  await page.waitForTimeout(500)
}

async function zoomByKeys(page: Page): Promise<void> {
  await page.locator('#chart').focus()
  for (const key of ['0', '+', '+', '+', '-', '-', '0']) {
    await page.keyboard.press(key)
    await page.waitForTimeout(100)
  }
  await page.waitForTimeout(500)
}

async function pinch(page: Page): Promise<void> {
  const at = await placesOn(page)
  const touch = await touchOf(page)
  await touch.pair([at(0.45), at(0.55)], [at(0.1), at(0.9)])
  await touch.pair([at(0.1), at(0.9)], [at(0.45), at(0.55)])
  await page.waitForTimeout(500)
}

async function typeWords(page: Page): Promise<void> {
  await page.locator('#find').focus()
  for (const key of ['q', '1', ' ', '2', 'Backspace', 'Backspace', 'Backspace', 'Backspace']) {
    await page.keyboard.press(key)
    await page.waitForTimeout(100)
  }
  await page.waitForTimeout(500)
}

async function untick(page: Page): Promise<void> {
  for (let row = 0; row < 5; row++) {
    await page.locator('#series-rows input').nth(row).click()
    await page.waitForTimeout(100)
  }
  await page.waitForTimeout(500)
}
