/** The report of `tune` about trials that look like improvements but are none. */

import t from 'tap'
import { Report } from '../../src/cli/output/report.js'
import { printTuned, trialText, type TuneRun } from '../../src/cli/commands/tune/report.js'
import type { Tuned } from '../../src/delivery/tuning/tune.js'
import type { Trial, TrialResult } from '../../src/state/trial.js'

const FIVE = { deliveries: 5, errors: 0, rowsPerSecond: 1_000, p50Ms: 10, p95Ms: 12 }
const SAMPLE = { records: 10, bytes: 1_000 }

const TUNED = {
  ...{ champion: {}, stopped: 'trials', nextAt: undefined },
  rehearsal: { inserted: 10 },
} as unknown as Tuned
const TOLD = { target: { name: 'db' }, sample: { size: SAMPLE }, durationMs: 1_000 } as unknown as TuneRun

const ended = (ratio: number, rest: Partial<TrialResult> = {}): TrialResult => {
  return { challenger: FIVE, champion: FIVE, ratio, won: false, ...rest }
}

for (const [name, result, says] of [
  [
    'one pair was lost',
    ended(1.3),
    'trial a1: 1.30 times as fast as the champion, but no win: not faster in all 5 pairs',
  ],
  ['too little', ended(1.02), 'trial a1: 1.02 times as fast as the champion, but no win: less than 3 % in the median'],
  [
    'a delivery failed',
    ended(1.3, { challenger: { ...FIVE, deliveries: 4, errors: 1 } }),
    'trial a1: 1.30 times as fast as the champion, but no win: only 4 of 5 pairs were seen through',
  ],
  ['a win', ended(1.3, { won: true }), 'trial a1: 1.30 times as fast as the champion'],
  ['slower', ended(0.8), 'trial a1: 0.80 times as fast as the champion'],
] as const)
  t.test(`a trial says why it is no win where it looks like one: ${name}`, t => {
    t.equal(trialText('a1', result), says)
    t.end()
  })

t.test('the last line explains what a win is and which figure can be compared', t => {
  const printed: string[] = []
  const out = { write: (text: string | Uint8Array) => printed.push(String(text)) }
  const report = new Report({ stdout: out, stderr: out, colorOut: false, colorErr: false })
  const trial: Trial = {
    ...{ id: 'a1', at: '2026-02-03T00:00:00.000Z', target: 'db' },
    ...{ settings: { 'copy-bytes': 1 }, champion: {}, sample: SAMPLE, result: ended(1.3) },
  }
  printTuned(report, { ...TUNED, trials: [trial] }, TOLD)
  t.match(printed.join(''), /^only RATIO can be compared between trials/m)
  t.match(printed.join(''), /^nothing was clearly faster: that is in all 5 pairs, and 3 % in the median$/m)
  t.end()
})
