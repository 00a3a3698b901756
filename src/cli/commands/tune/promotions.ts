/** `promotions`: lists the promotions of targets, with author and reason, and their trials. */

import { requiredStateConfig } from '../../../config/state.js'
import { EXIT } from '../../../errors.js'
import { activePromotion, readPromotions, type Promotion } from '../../../state/promotions.js'
import { readRegistry } from '../../../state/registry.js'
import { requireTarget } from '../../../state/targets.js'
import { readTrials, type Trial } from '../../../state/trial.js'
import type { Storage } from '../../../storage/storage.js'
import { oneLine, type Report } from '../../output/report.js'
import { withState } from '../state/with-state.js'
import { promotionDocument } from '../../../state/promotion-document.js'
import { settingsText, trialDocument, trialLines } from './trials.js'
import type { TuningAction } from '../../options/tuning-flags.js'

type Tuned = {
  readonly name: string
  readonly promotions: readonly Promotion[]
  readonly trials: readonly Trial[]
}

export const promotions: TuningAction = (_, flags, context) =>
  withState(requiredStateConfig(flags, context.env), context, async ({ storage }) => {
    const { report } = context
    const tuned = await readAll(storage, flags.target)
    if (flags.format === 'json') {
      report.json({ command: 'promotions', exit_code: EXIT.done, targets: tuned.map(document) })
      return EXIT.done
    }
    for (const one of tuned) print(report, one)
    if (tuned.length === 0) report.note('no targets are registered')
    return EXIT.done
  })

async function readAll(storage: Storage, name: string | undefined): Promise<readonly Tuned[]> {
  const registry = await readRegistry(storage)
  const chosen = name === undefined ? [...registry.targets.values()] : [requireTarget(registry, name)]
  return Promise.all(
    chosen.map(async ({ name, identity }) => ({
      name,
      promotions: await readPromotions(storage, identity),
      trials: await readTrials(storage, identity),
    })),
  )
}

function document({ name, promotions, trials }: Tuned): object {
  return {
    target: name,
    active: activePromotion(promotions)?.id ?? null,
    promotions: promotions.map(promotionDocument),
    trials: trials.map(trialDocument),
  }
}

function print(report: Report, { name, promotions, trials }: Tuned): void {
  const active = activePromotion(promotions)
  report.result(`${name}: ${active === undefined ? 'defaults' : settingsText(active.settings)}`)
  for (const one of promotions) report.result(`  ${promotionLine(one, one === active)}`)
  if (trials.length > 0) for (const line of trialLines(trials)) report.result(`  ${line}`)
}

function promotionLine({ at, by, note, trial, rolledBack }: Promotion, isActive: boolean): string {
  const why = note === undefined ? '' : `: ${note}`
  const ended = rolledBack === undefined ? '' : `, rolled back ${rolledBack.at} by ${rolledBack.by}`
  return oneLine(`${isActive ? 'active' : 'before'}: trial ${trial}, ${at} by ${by}${why}${ended}`)
}
