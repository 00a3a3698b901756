/**
 * `promotions` lists the promotions of targets, with author and reason, and their trials. `promote` and `rollback` change the
 * write settings of a target.
 */

import type { PromoteReport, PromotionsReport, RollbackReport } from '../../../reports/targets.js'
import { requiredStateConfig } from '../../../config/state.js'
import { EXIT } from '../../../errors.js'
import {
  activePromotion,
  readPromotions,
  type Promotion,
  promoteTrial,
  rollBackPromotion,
  promotionDocument,
} from '../../../state/promotions.js'
import { readRegistry } from '../../../state/registry.js'
import { requireTarget } from '../../../state/targets.js'
import { readTrials, type Trial } from '../../../state/trial.js'
import type { Storage } from '../../../storage/storage.js'
import { oneLine } from '../../../visible-text.js'
import { type Report } from '../../output/report.js'
import { thisUser } from '../../options/this-user.js'
import { withState } from '../state/with-state.js'
import { settingsText, trialDocument, trialLines } from './trials.js'
import { type TuningAction, missing, withTarget } from './with-target.js'

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
      report.json<PromotionsReport>({ command: 'promotions', exit_code: EXIT.done, targets: tuned.map(document) })
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

function document({ name, promotions, trials }: Tuned): PromotionsReport['targets'][number] {
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

export const runPromote: TuningAction = (_, flags, context) =>
  withTarget(flags, context, async (state, target) => {
    const { report } = context
    const { trial, note, by = thisUser(), format } = flags
    if (trial === undefined) throw missing('--trial', 'vortex-ingest promotions shows the trials of a target')
    const { promotion, changed } = await promoteTrial(state, target, { trial, note, by })
    const document = { target: target.name, changed, promotion: promotionDocument(promotion) }
    if (format === 'json') report.json<PromoteReport>({ command: 'promote', exit_code: EXIT.done, ...document })
    else report.verdict(true, changed ? 'promoted' : 'unchanged', `${target.name}: ${settingsText(promotion.settings)}`)
    return EXIT.done
  })

export const runRollback: TuningAction = (_, flags, context) =>
  withTarget(flags, context, async (state, target) => {
    const { report } = context
    const { by = thisUser(), format } = flags
    const { from, to } = await rollBackPromotion(state, target, { by })
    const document = { from: promotionDocument(from), to: to === undefined ? null : promotionDocument(to) }
    if (format === 'json')
      report.json<RollbackReport>({ command: 'rollback', exit_code: EXIT.done, target: target.name, ...document })
    else
      report.verdict(
        true,
        'rolled back',
        `${target.name}: ${to === undefined ? 'defaults' : settingsText(to.settings)}`,
      )
    return EXIT.done
  })
