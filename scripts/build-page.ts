/** Makes the page of `serve`: one script, one style sheet, one icon, each named by its content and packed beside itself. */

import { readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'
import { build } from 'esbuild'

const SOURCE = 'src/page'
const ENTRIES = ['main.ts', 'page.css', 'icon.svg']
/** Where `serve` answers with what lies in the folder. */
const BASE = 'page/'

/** @param out the folder, made when it is missing */
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
    // Whoever passes the page on passes its licences on.
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

/** index.html asks for `{{main.js}}`, and gets `page/main-ABCD1234.js`. */
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
