import t from 'tap'
import { Report } from '../../src/cli/output/report.js'
import { watchOf } from '../../src/cli/output/watch.js'
import type { Target } from '../../src/delivery/opening.js'
import { sumReceipt } from '../../src/source/delivery.js'
import { type Sink } from '../../src/targets/sink.js'
import type { WriteSettings } from '../../src/database/tunables.js'
import { deliveryOf } from '../fixtures/delivery.js'

const silent = { write: () => true }

t.test('a watched target is written to with its own settings', async t => {
  const seen: (WriteSettings | undefined)[] = []
  const asked: (number | undefined)[] = []
  const sink: Sink = {
    write: async (delivery, _onRetry, settings) => {
      seen.push(settings)
      delivery.rows(settings?.['copy-bytes'])
      return sumReceipt([])
    },
    close: async () => undefined,
  }
  const opener = { id: 'there', description: 'there', opensEarly: false, open: async () => sink }
  const report = new Report({ stdout: silent, stderr: silent, colorOut: false, colorErr: false })
  for (const flags of [{ verbose: true }, { progress: true }, { verbose: true, progress: true }]) {
    const isTTY = 'progress' in flags
    const watch = await watchOf(flags, { report, screen: { isTTY }, env: {} })
    const [target] = watch!.targets([{ name: 'postgres', kind: 'postgres', opener } satisfies Target])
    const opened = await target!.opener.open(new AbortController().signal)
    const delivery = await deliveryOf([])
    const rows: typeof delivery.rows = chunkBytes => {
      asked.push(chunkBytes)
      return delivery.rows(chunkBytes)
    }
    await opened.write({ ...delivery, rows }, () => undefined, { 'copy-bytes': 7 })
    watch!.stop()
  }
  t.strictSame(seen, Array(3).fill({ 'copy-bytes': 7 }))
  t.strictSame(asked, [7, 7, 7])
})
