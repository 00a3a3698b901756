/** `--explain`: the write settings of each target and the origin of each setting. */

import type { TargetOutcome } from '../../../delivery/deliver.js'
import { settingsNow } from '../../../delivery/durable/settings-now.js'
import type { Target } from '../../../delivery/opening.js'
import type { UsedSetting } from '../../../database/tunables.js'
import type { State } from '../../../state/state.js'
import type { Explained } from './explain-report.js'

/** Per target the write settings of its last delivery. A target without a delivery has the settings of its next one. */
export async function explain(
  targets: readonly Target[],
  outcomes: readonly TargetOutcome[],
  state: State | undefined,
): Promise<readonly Explained[]> {
  const explained: Explained[] = []
  for (const target of targets) {
    const { name, kind } = target
    const used = outcomes.find(outcome => outcome.name === name)?.used
    explained.push({ target: name, kind, settings: used ?? (await settingsOf(target, state)) ?? [] })
  }
  return [...explained, ...outcomes.filter(outcome => !isAmong(outcome, targets)).map(ofOutcome)]
}

/** Whether the outcome belongs to one of `targets`. A target that was registered while the command ran does not. */
function isAmong(outcome: TargetOutcome, targets: readonly Target[]): boolean {
  return targets.some(target => target.name === outcome.name)
}

function ofOutcome(outcome: TargetOutcome): Explained {
  return { target: outcome.name, kind: outcome.kind, settings: outcome.used ?? [] }
}

/** Settings of the next delivery; undefined if they cannot be read, because the delivery has already reported that error. */
async function settingsOf(target: Target, state: State | undefined): Promise<readonly UsedSetting[] | undefined> {
  return state === undefined ? target.settings?.(undefined) : settingsNow(state, target).catch(() => undefined)
}
