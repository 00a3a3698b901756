import t from 'tap'
import { Report } from '../../src/cli/output/report.js'
import { watchCommand } from '../../src/cli/output/watch.js'
import { push } from '../../src/delivery/push.js'
import type { Target } from '../../src/delivery/target.js'
import { sumReceipt, type Delivery } from '../../src/source/delivery.js'
import { fileSource } from '../../src/source/source.js'
import type { WriteSettings } from '../../src/database/tunables.js'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { COMMIT, RUN } from '../fixtures/records.js'
import { size } from '../fixtures/delivery.js'

t.test('a command that is watched logs its deliveries, and writes with the same settings', async t => {
  const path = join(t.testdir(), 'results.jsonl')
  writeFileSync(path, `${size('a')}\n`)
  for (const flags of [{ verbose: true }, { progress: true }, { verbose: true, progress: true }]) {
    const seen: (WriteSettings | undefined)[] = []
    const written: string[] = []
    const stream = { write: (text: string) => written.push(text) > 0 }
    const report = new Report({ stdout: stream, stderr: stream, colorOut: false, colorErr: false })
    report.loudness = 'verbose' in flags ? 'verbose' : 'normal'
    const write = async (delivery: Delivery, _: unknown, settings?: WriteSettings): ReturnType<typeof receipt> => {
      seen.push(settings)
      for await (const { rows } of delivery.rows(settings?.['copy-bytes'])) t.equal(rows, 1)
      return receipt()
    }
    const open = async () => ({ write, close: async () => undefined })
    const target: Target = {
      ...{ name: 'db', kind: 'postgres', opener: { id: 'there', description: 'there', opensEarly: false, open } },
      settings: () => [{ name: 'copy-bytes', value: 7, origin: 'default' }],
    }
    const watch = await watchCommand(flags, { report, screen: { isTTY: 'progress' in flags }, env: {} })
    const onEvent = await watch!.deliveries()
    await push([fileSource(path)], { targets: [target], commit: COMMIT, run: RUN, onEvent })
    watch!.stop()
    t.strictSame(seen, [{ 'copy-bytes': 7 }])
    const log = written.join('')
    t.equal(/db: opened in/.test(log), 'verbose' in flags)
    t.equal(/db: .*results.jsonl in .*: 1 records, 1 inserted, 0 updated/.test(log), 'verbose' in flags)
  }
})

const receipt = async () => sumReceipt([{ kind: 'size', records: 1, inserted: 1, updated: 0, unchanged: 0 }])
