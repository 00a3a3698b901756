/** Builds the page of `serve`: one script, one style sheet and one icon, named by content hash and also stored compressed. */

import { readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'
import { build } from 'esbuild'

const SOURCE = 'src/page'
const ENTRIES = ['main.ts', 'page.css', 'icon.svg']
/** URL prefix under which `serve` serves the files of the folder. */
const BASE = 'page/'

/** @param out output folder, created when it does not exist */
export async function buildPage(out: string): Promise<void> {
  const { metafile } = await build({
    entryPoints: ENTRIES.map(name => join(SOURCE, name)),
    outdir: out,
    entryNames: '[name]-[hash]',
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome123', 'firefox120', 'safari17.5'],
    loader: { '.svg': 'copy' },
    tsconfig: join(SOURCE, 'tsconfig.json'),
    // Licence comments are removed from the code. The chart library's licence is added as a banner instead.
    legalComments: 'none',
    banner: { js: await chartLicence() },
    metafile: true,
    logLevel: 'warning',
  })
  const names = Object.keys(metafile.outputs).map(path => basename(path))
  await writeFile(join(out, 'index.html'), await indexNaming(names))
  await Promise.all([...names, 'index.html'].map(name => pack(join(out, name))))
}

async function chartLicence(): Promise<string> {
  const text = await readFile('node_modules/uplot/LICENSE', 'utf8')
  return `/* uPlot. ${text.replaceAll('*/', '* /').trim()} */`
}

/** Reads index.html and replaces placeholders such as `{{main.js}}` with file names such as `page/main-ABCD1234.js`. */
async function indexNaming(names: readonly string[]): Promise<string> {
  const text = await readFile(join(SOURCE, 'index.html'), 'utf8')
  return text.replace(/\{\{(.+?)\.(.+?)\}\}/g, (asked, stem: string, ending: string) => {
    const name = names.find(one => one.startsWith(`${stem}-`) && one.endsWith(`.${ending}`))
    if (name === undefined) throw new Error(`index.html names ${asked}, which was not built`)
    return BASE + name
  })
}

async function pack(path: string): Promise<void> {
  const bytes = await readFile(path)
  await writeFile(`${path}.br`, await promisify(brotliCompress)(bytes))
  await writeFile(`${path}.gz`, await promisify(gzip)(bytes, { level: 9 }))
}
