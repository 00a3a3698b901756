/** `promote` and `rollback`: change the write settings of a target. */

import { hostname, userInfo } from 'node:os'
import { EXIT } from '../../../errors.js'
import { promote, rollback } from '../../../state/promotions.js'
import { promotionDocument } from '../../../state/promotion-document.js'
import { settingsText } from './trials.js'
import type { TuningAction } from '../../options/tuning-flags.js'
import { missing, withTarget } from './with-target.js'

export const runPromote: TuningAction = (_, flags, context) =>
  withTarget(flags, context, async (state, target) => {
    const { report } = context
    const { trial, note, by = thisUser(), format } = flags
    if (trial === undefined) throw missing('--trial', 'vortex-ingest promotions shows the trials of a target')
    const { promotion, changed } = await promote(state, target, { trial, note, by })
    const document = { target: target.name, changed, promotion: promotionDocument(promotion) }
    if (format === 'json') report.json({ command: 'promote', exit_code: EXIT.done, ...document })
    else report.verdict(true, changed ? 'promoted' : 'unchanged', `${target.name}: ${settingsText(promotion.settings)}`)
    return EXIT.done
  })

export const runRollback: TuningAction = (_, flags, context) =>
  withTarget(flags, context, async (state, target) => {
    const { report } = context
    const { by = thisUser(), format } = flags
    const { from, to } = await rollback(state, target, { by })
    const document = { from: promotionDocument(from), to: to === undefined ? null : promotionDocument(to) }
    if (format === 'json') report.json({ command: 'rollback', exit_code: EXIT.done, target: target.name, ...document })
    else
      report.verdict(
        true,
        'rolled back',
        `${target.name}: ${to === undefined ? 'defaults' : settingsText(to.settings)}`,
      )
    return EXIT.done
  })

/** The current user as `user@host`. */
function thisUser(): string {
  return `${userName()}@${hostname()}`
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    // In a container the user may have no entry in the user database.
    return `user ${process.getuid?.() ?? ''}`.trim()
  }
}
