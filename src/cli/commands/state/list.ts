/** `state ls`: lists the keys and sizes of a state's objects, without reading the objects. */

import { requiredStateConfig } from '../../../config/state.js'
import { EXIT } from '../../../errors.js'
import { listObjects } from '../../../state/state-summary.js'
import { count, oneLine, plural } from '../../output/report.js'
import { type StateAction, withState } from './with-state.js'
import type { StateListReport } from '../../../reports/state.js'

export const list: StateAction = ([prefix = ''], flags, context) =>
  withState(requiredStateConfig(flags, context.env), context, async ({ storage }) => {
    const { report } = context
    const objects = await listObjects(storage, prefix)
    const bytes = objects.reduce((all, object) => all + object.bytes, 0)
    if (flags.format === 'json') {
      report.json<StateListReport>({
        command: 'state ls',
        exit_code: EXIT.done,
        state: storage.description,
        prefix,
        objects,
      })
      return EXIT.done
    }
    for (const object of objects) report.result(`${count(object.bytes).padStart(12)}  ${oneLine(object.key)}`)
    report.note(`${plural(objects.length, 'object')}, ${plural(bytes, 'byte')} in ${storage.description}`)
    return EXIT.done
  })
