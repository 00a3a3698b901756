import { readFile } from 'node:fs/promises'
import t from 'tap'
import { ANCHORS, brokenAnchor } from '../../src/contract/anchors.js'

const ROOT = new URL('../../', import.meta.url)

t.test('every place that states the schema version states this one', async t => {
  for (const anchor of ANCHORS) {
    const text = await readFile(new URL(anchor.file, ROOT), 'utf8').catch(() => undefined)
    t.equal(brokenAnchor(anchor, text), undefined, anchor.file)
  }
})

t.test('source, schemas and docs each hold an anchor', async t => {
  const files = ANCHORS.map(({ file }) => file)
  for (const part of ['src/contract/', 'schemas/v3/', 'docs/', 'README.md'])
    t.ok(
      files.some(file => file.startsWith(part)),
      part,
    )
})

t.test('a version that was changed in one place is noticed there', async t => {
  for (const anchor of ANCHORS) {
    const text = await readFile(new URL(anchor.file, ROOT), 'utf8')
    const [whole, version] = anchor.pattern.exec(text) ?? []
    const changed = text.replace(whole!, whole!.replace(new RegExp(`${version}(?!.*${version})`), '2'))
    t.equal(brokenAnchor(anchor, changed), `${anchor.file}: states schema version 2, the program 3`)
  }
})

t.test('a file that is missing, or states no version, is named', async t => {
  for (const anchor of ANCHORS) {
    t.equal(
      brokenAnchor(anchor, undefined),
      `${anchor.file}: the file is missing, so its schema version cannot be checked`,
    )
    t.equal(brokenAnchor(anchor, 'no version here'), `${anchor.file}: states no schema version where one is expected`)
  }
})
