/** `promote` and `rollback`: change the write settings of a target. */

import { EXIT } from '../../../errors.js'
import {
  promoteTrial as promoteTrial,
  rollBackPromotion as rollBack,
  promotionDocument,
} from '../../../state/promotions.js'
import { settingsText } from './documents.js'
import { type TuningAction, missing, withTarget } from './with-target.js'
import { thisUser } from './who.js'
import type { PromoteReport, RollbackReport } from '../../../reports/targets.js'

export const promote: TuningAction = (_, flags, context) =>
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

export const rollback: TuningAction = (_, flags, context) =>
  withTarget(flags, context, async (state, target) => {
    const { report } = context
    const { by = thisUser(), format } = flags
    const { from, to } = await rollBack(state, target, { by })
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
