/** Draws docs/images/terminal.png from the program's real, coloured output. `npx tsx scripts/picture-terminal.ts` */

import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { AnsiUp } from 'ansi_up'
import { chromium } from 'playwright-core'
import { findChromium } from '../test/page/fixtures/browser.js'

const PICTURE = 'docs/images/terminal.png'
const COMMANDS = [
  'validate broken.jsonl',
  'push results.jsonl --commit commit.json',
  'verify results.jsonl',
  'pish results.jsonl',
]
const STYLE = `
  body { margin: 0; background: #10141c; width: max-content }
  pre { margin: 0; padding: 18px 22px; color: #d6dbe5; font: 14px/1.45 "DejaVu Sans Mono", Menlo, monospace }
  b { color: #7aa2f7; font-weight: normal }`

const executablePath = findChromium()
if (executablePath === undefined) throw new Error('there is no Chromium in PATH')
const folder = mkdtempSync(join(tmpdir(), 'vortex-ingest-picture-'))
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
try {
  for (const name of ['results.jsonl', 'commit.json']) copyFileSync(join('examples', name), join(folder, name))
  writeFileSync(join(folder, 'broken.jsonl'), broken(readFileSync('examples/results.jsonl', 'utf8').split('\n')))
  const page = await browser.newPage({ deviceScaleFactor: 1.5 })
  await page.setContent(`<style>${STYLE}</style><pre>${COMMANDS.map(shown).join('\n')}</pre>`)
  await page.locator('pre').screenshot({ path: PICTURE })
} finally {
  await browser.close()
  rmSync(folder, { recursive: true })
}

/** Introduces two typical mistakes: a misspelt field and a negative time. */
function broken(lines: readonly string[]): string {
  const [first = '', second = '', third = '', ...rest] = lines
  const misspelt = first.replace(/"dataset"/, '"datset"')
  return [misspelt, second, third.replace(/"value_ns":\d+/, '"value_ns":-7'), ...rest].join('\n')
}

function shown(command: string): string {
  const { stdout, stderr } = spawnSync(process.execPath, [resolve('bin/vortex-ingest.js'), ...command.split(' ')], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], FORCE_COLOR: '1' },
  })
  return `<b>$</b> vortex-ingest ${command}\n${new AnsiUp().ansi_to_html(stderr + stdout)}`
}
