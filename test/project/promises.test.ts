/** Every test that docs/promises.md names is there. */

import { readFile } from 'node:fs/promises'
import t from 'tap'

const ROOT = new URL('../../', import.meta.url)
const PROMISES = 10

t.test('each promise names tests that exist', async t => {
  const text = await readFile(new URL('docs/promises.md', ROOT), 'utf8')
  const parts = text.split(/^\d+\. /m).slice(1)
  t.equal(parts.length, PROMISES)
  for (const [index, part] of parts.entries()) {
    const named = [...part.matchAll(/`(test\/[^`›]+?)(?: › ([^`]+))?`/gs)]
    t.ok(named.length > 0, `promise ${index + 1} names a test`)
    for (const [, file = '', name] of named) {
      const source = await readFile(new URL(file, ROOT), 'utf8').catch(() => undefined)
      if (source === undefined) t.fail(`promise ${index + 1}: there is no ${file}`)
      else if (name !== undefined) t.ok(source.includes(name.replace(/\s+/g, ' ')), `${file} › ${name}`)
    }
  }
})
