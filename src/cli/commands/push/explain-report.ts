/** Output of `--explain`, as JSON and as text. */

import type { UsedSetting } from '../../../database/tunables.js'
import { count, type Report } from '../../output/report.js'
import type { PushReport, TargetReport } from '../../../reports/delivery.js'

export type Explained = {
  readonly target: string
  readonly kind: TargetReport['kind']
  readonly settings: readonly UsedSetting[]
}

export function explainReport(explained: readonly Explained[]): NonNullable<PushReport['explain']> {
  return explained.map(({ target, kind, settings }) => ({
    target,
    kind,
    settings: settings.map(({ name, value, origin, trial }) => ({ name, value, origin, trial: trial ?? null })),
  }))
}

export function printExplained(report: Report, explained: readonly Explained[]): void {
  for (const { target, settings } of explained) {
    if (settings.length === 0) report.result(`${target}: no write settings`)
    for (const setting of settings) report.result(`${target}: ${settingText(setting)}`)
  }
}

/** A setting with its value and origin, such as `copy-bytes 1,048,576 (promoted, trial 0123456789ab)`. */
function settingText({ name, value, origin, trial }: UsedSetting): string {
  return `${name} ${count(value)} (${origin}${trial === undefined ? '' : `, trial ${trial}`})`
}
