import { readFile } from 'node:fs/promises'
import t from 'tap'
import { ANCHORS, brokenAnchor } from '../../src/contract/anchors.js'
import { CONTRACTS, SCHEMA_VERSION } from '../../src/contract/kinds.js'

const ROOT = new URL('../../', import.meta.url)

t.test('every file that states a contract version states the expected one', async t => {
  for (const anchor of ANCHORS) {
    const text = await readFile(new URL(anchor.file, ROOT), 'utf8').catch(() => undefined)
    t.equal(brokenAnchor(anchor, text), undefined, anchor.file)
  }
})

t.test('each version has anchors in its schemas and its golden vectors', async t => {
  for (const version of CONTRACTS.keys()) {
    const files = ANCHORS.filter(anchor => anchor.version === version).map(({ file }) => file)
    for (const part of [`schemas/v${version}/`, 'golden/'])
      t.ok(
        files.some(file => file.startsWith(part)),
        `${part} of version ${version}`,
      )
  }
})

t.test('source, docs and README state the newest version', async t => {
  const newest = ANCHORS.filter(({ version }) => version === SCHEMA_VERSION).map(({ file }) => file)
  for (const part of ['src/contract/', 'docs/', 'README.md'])
    t.ok(
      newest.some(file => file.startsWith(part)),
      part,
    )
  t.equal(SCHEMA_VERSION, Math.max(...CONTRACTS.keys()))
})

t.test('a version that was changed in one file is reported for that file', async t => {
  for (const anchor of ANCHORS) {
    const text = await readFile(new URL(anchor.file, ROOT), 'utf8')
    const [whole, version] = anchor.pattern.exec(text) ?? []
    const changed = text.replace(whole!, whole!.replace(new RegExp(`${version}(?!.*${version})`), '9'))
    t.equal(
      brokenAnchor(anchor, changed),
      `${anchor.file}: states contract version 9 where ${anchor.version} is expected`,
    )
  }
})

t.test('a file that is missing, or states no version, is named', async t => {
  for (const anchor of ANCHORS) {
    t.equal(
      brokenAnchor(anchor, undefined),
      `${anchor.file}: the file is missing, so its contract version cannot be checked`,
    )
    t.equal(
      brokenAnchor(anchor, 'no version here'),
      `${anchor.file}: states no contract version where ${anchor.version} is expected`,
    )
  }
})
