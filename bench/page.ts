/** The page with many commits and series: until it can be used, and the frames while it is. `npx tsx bench/page.ts` */

import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { chromium, type Page } from 'playwright-core'
import { wasmHash64 } from '../src/contract/hash64.js'
import { createServer, LIMITS } from '../src/server/app.js'
import { embeddedStore } from '../src/server/store/embedded.js'
import type { Store } from '../src/server/store/store.js'
import { findChromium } from '../test/page/fixtures/browser.js'

const COMMITS = 1_000
/** 25 queries, four engines, five formats. */
const SERIES = 500
const SUITE = '#suite=query_measurement.tpch.~.10.nvme&n=1000'
const STEPS = 40

const folder = await mkdtemp(join(tmpdir(), 'vortex-ingest-page-'))
try {
  const store = await embeddedStore(join(folder, 'data'), { signal: new AbortController().signal })
  await fill(store)
  const server = createServer({
    ...{ store, token: 'none', revalidateToken: undefined, limits: LIMITS, pageFolder: resolve('dist/page') },
    ...{ hash: await wasmHash64(), log: () => undefined, now: () => new Date() },
  })
  await server.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = server.app.server.address() as AddressInfo
  try {
    await measureServer(`http://127.0.0.1:${port}`)
    await measurePage(`http://127.0.0.1:${port}`)
  } finally {
    server.app.server.closeAllConnections()
    await server.app.close()
    await store.close()
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function fill(store: Store): Promise<void> {
  const from = `generate_series(1, ${COMMITS}) AS at`
  await store.read(session =>
    session.execute(`
      INSERT INTO commits SELECT md5(at::text), timestamptz '2023-01-01' + at * interval '1 day', 'Commit ' || at, 'A', 'a', 'A', 'a',
        't', 'https://example.org/commit/' || at FROM ${from};
      INSERT INTO query_measurements (measurement_id, commit_sha, dataset, scale_factor, query_idx, storage, engine, format, value_ns,
        all_runtimes_ns, commit_timestamp)
      SELECT at * 1000 + series, md5(at::text), 'tpch', '10', series / 20, 'nvme', 'engine-' || series % 4,
        CASE WHEN series % 5 < 2 THEN 'vortex-' ELSE 'format-' END || series % 5,
        (1e7 * (1 + series % 37) * (1 + 0.02 * sin(at * series)))::bigint, '{}', now()
      FROM ${from}, generate_series(0, ${SERIES - 1}) AS series;
      ANALYZE`),
  )
}

async function measureServer(url: string): Promise<void> {
  for (const what of ['first', 'again']) {
    const startedAt = performance.now()
    const response = await fetch(`${url}/api/history/query_measurement.tpch.~.10.nvme?n=${COMMITS}`)
    const { length } = await response.text()
    const ms = Math.round(performance.now() - startedAt)
    const packed = response.headers.get('content-length')
    console.log(`history, ${what}: ${ms} ms, ${length} bytes, ${packed} packed`)
  }
}

async function measurePage(url: string): Promise<void> {
  const executablePath = findChromium()
  if (executablePath === undefined) throw new Error('no Chromium here')
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  try {
    for (const panel of ['mean', 'all']) {
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
      const startedAt = performance.now()
      await page.goto(`${url}/${SUITE}&panel=${panel}`)
      await page.locator('#series-rows tr').first().waitFor()
      await page.evaluate(`new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))`)
      console.log(`${panel}: drawn and ready ${Math.round(performance.now() - startedAt)} ms after it was asked for`)
      console.log(`${panel}: its tasks above 50 ms since then and before: ${await longTasks(page)}`)
      await frames(page, `${panel}, pointer moves`, () => movePointer(page))
      await frames(page, `${panel}, drag to zoom`, () => dragToZoom(page))
      await frames(page, `${panel}, zoom by keys`, () => zoomByKeys(page))
      await page.close()
    }
  } finally {
    await browser.close()
  }
}

function longTasks(page: Page): Promise<string> {
  return page.evaluate<string>(`new Promise(done => new PerformanceObserver(list =>
    done(list.getEntries().map(entry => Math.round(entry.duration) + ' ms').join(', ')))
    .observe({ type: 'longtask', buffered: true }) ?? setTimeout(() => done('none'), 200))`)
}

/** Prints how long the frames took while `act` went on. */
async function frames(page: Page, what: string, act: () => Promise<void>): Promise<void> {
  await page.evaluate(`(() => {
    window.times = []
    let last = performance.now()
    const next = now => (window.times.push(now - last), (last = now), (window.watching = requestAnimationFrame(next)))
    window.watching = requestAnimationFrame(next)
  })()`)
  await act()
  const times = await page.evaluate<number[]>(`(cancelAnimationFrame(window.watching), window.times.slice(1))`)
  times.sort((one, other) => one - other)
  const at = (share: number): string => times[Math.floor((times.length - 1) * share)]!.toFixed(0)
  const late = times.filter(time => time > 50).length
  console.log(
    `${what}: ${times.length} frames, median ${at(0.5)} ms, p95 ${at(0.95)}, worst ${at(1)}, ${late} over 50 ms`,
  )
}

async function movePointer(page: Page): Promise<void> {
  const box = (await page.locator('#chart .u-over').boundingBox())!
  for (let step = 0; step <= STEPS; step++)
    await page.mouse.move(box.x + (box.width * step) / STEPS, box.y + 40 + ((step * 17) % 200))
}

async function dragToZoom(page: Page): Promise<void> {
  const box = (await page.locator('#chart .u-over').boundingBox())!
  await page.mouse.move(box.x + box.width * 0.2, box.y + 60)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width * 0.8, box.y + 60, { steps: STEPS })
  await page.mouse.up()
  await page.waitForTimeout(300)
}

async function zoomByKeys(page: Page): Promise<void> {
  await page.locator('#chart').focus()
  for (const key of ['0', '+', '+', '+', '-', '-', '0']) {
    await page.keyboard.press(key)
    await page.waitForTimeout(100)
  }
}
