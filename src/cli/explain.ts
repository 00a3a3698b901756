/** `--explain`: how each target was, or would be, written to, and who says so. */

import type { TargetOutcome } from '../delivery/deliver.js'
import { settingsNow } from '../delivery/durable/settings-now.js'
import { nameOf, type Target } from '../delivery/opening.js'
import type { UsedSetting } from '../sink/tunables.js'
import type { State } from '../state/state.js'
import type { Explained } from './explain-report.js'

/** What its last delivery was written with, or where there was none what the next would be. */
export async function explain(
  targets: readonly Target[],
  outcomes: readonly TargetOutcome[],
  state: State | undefined,
): Promise<readonly Explained[]> {
  const explained: Explained[] = []
  for (const target of targets) {
    const name = nameOf(target)
    const used = outcomes.find(outcome => nameOf(outcome) === name)?.used
    explained.push({ target: name, kind: target.name, settings: used ?? (await settingsOf(target, state)) ?? [] })
  }
  return [...explained, ...outcomes.filter(outcome => !isAmong(outcome, targets)).map(ofOutcome)]
}

/** One that was registered while the command ran is not. */
function isAmong(outcome: TargetOutcome, targets: readonly Target[]): boolean {
  return targets.some(target => nameOf(target) === nameOf(outcome))
}

function ofOutcome(outcome: TargetOutcome): Explained {
  return { target: nameOf(outcome), kind: outcome.name, settings: outcome.used ?? [] }
}

/** What cannot be read now has failed the delivery already. */
async function settingsOf(target: Target, state: State | undefined): Promise<readonly UsedSetting[] | undefined> {
  return state === undefined ? target.settings?.(undefined) : settingsNow(state, target).catch(() => undefined)
}
