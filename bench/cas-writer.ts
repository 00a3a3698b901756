/**
 * Increments a counter TIMES times while other processes do the same. `cas-writer FOLDER TIMES` prints the number of conflicts.
 */

import { once } from 'node:events'
import { openStorage } from '../src/storage/open-storage.js'
import { VersionConflict } from '../src/storage/storage.js'

const [folder = '', times = ''] = process.argv.slice(2)
const storage = await openStorage({ kind: 'local', folder })
console.log('ready')
await once(process.stdin, 'data')
let lost = 0
for (let done = 0; done < Number(times);) {
  const { body, version } = (await storage.getVersioned('counter'))!
  try {
    await storage.putIfMatch('counter', Buffer.from(String(Number(body) + 1)), version)
    done++
  } catch (error) {
    if (!(error instanceof VersionConflict)) throw error
    lost++
  }
}
console.log(lost)
