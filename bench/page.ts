/** The page with many commits and series: time until it is usable, and frame times while it is used. `npx tsx bench/page.ts` */

import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { chromium, type Page } from 'playwright-core'
import { wasmHash64 } from '../src/contract/hash64.js'
import { SCHEMA_VERSION } from '../src/contract/kinds.js'
import { createServer, LIMITS } from '../src/server/app.js'
import { embeddedStore } from '../src/server/store/embedded.js'
import { findChromium } from '../test/page/fixtures/browser.js'
import { CROWD, fillCrowd } from '../test/page/fixtures/crowd.js'
import { ACTS, measured, type Measured } from './page-acts.js'

const COMMITS = 1_000
/** 25 queries, four engines and five formats. */
const SERIES = 500
const SUITE = `#${CROWD}&n=1000`
/** `npx tsx bench/page.ts FOLDER` measures the page of another build. */
const PAGE_FOLDER = resolve(process.argv[2] ?? 'dist/page')

const folder = await mkdtemp(join(tmpdir(), 'vortex-ingest-page-'))
try {
  const store = await embeddedStore(join(folder, 'data'), { signal: new AbortController().signal })
  await fillCrowd(store, { commits: COMMITS, series: SERIES })
  const server = createServer({
    ...{ store, token: 'none', revalidateToken: undefined, limits: LIMITS, pageFolder: PAGE_FOLDER },
    ...{ version: SCHEMA_VERSION, hash: await wasmHash64(), log: () => undefined, now: () => new Date() },
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
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, hasTouch: true })
      const startedAt = performance.now()
      await page.goto(`${url}/${SUITE}&panel=${panel}`)
      await page.locator('#series-rows tr').first().waitFor()
      await page.evaluate(`new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))`)
      console.log(`${panel}: drawn and ready ${Math.round(performance.now() - startedAt)} ms after it was asked for`)
      console.log(`${panel}: its tasks above 50 ms since then and before: ${await longTasks(page)}`)
      for (const [name, act] of Object.entries(ACTS)) tell(`${panel}, ${name}`, await measured(page, act))
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

function tell(what: string, { framesMs, tasksCpuMs }: Measured): void {
  const at = (share: number): string => framesMs[Math.floor((framesMs.length - 1) * share)]!.toFixed(0)
  const late = framesMs.filter(time => time > 50).length
  console.log(
    `${what}: ${framesMs.length} frames, median ${at(0.5)} ms, p95 ${at(0.95)}, worst ${at(1)}, ${late} over 50 ms; ` +
      `longest task ${tasksCpuMs.at(-1)?.toFixed(0)} ms of CPU, ${tasksCpuMs.filter(time => time > 50).length} over 50 ms`,
  )
}
