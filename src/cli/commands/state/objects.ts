/** `state get` prints one object of a state unchanged. `state ls` lists keys and sizes without reading the objects. */

import { isUtf8 } from 'node:buffer'
import { requiredStateConfig } from '../../../config/state.js'
import { EXIT, IngestError } from '../../../errors.js'
import { type StateAction, withState } from './with-state.js'
import type { StateGetReport, StateListReport } from '../../../reports/state.js'
import { listObjects } from '../../../state/state-summary.js'
import { oneLine } from '../../../visible-text.js'
import { count, plural } from '../../output/report.js'

export const runStateGet: StateAction = ([key = ''], flags, context) =>
  withState(requiredStateConfig(flags, context.env), context, async ({ storage }) => {
    const body = await storage.get(key)
    if (body === undefined) {
      const hint = '`vortex-ingest state ls` shows what there is'
      throw new IngestError('no_input', `there is no ${key} in ${storage.description}`, { hint })
    }
    const { report } = context
    if (flags.format === 'json') {
      const encoding = isUtf8(body) ? 'utf8' : 'base64'
      const object = { key, bytes: body.length, encoding, body: body.toString(encoding) } as const
      report.json<StateGetReport>({ command: 'state get', exit_code: EXIT.done, state: storage.description, ...object })
    } else report.raw(body)
    return EXIT.done
  })

export const runStateList: StateAction = ([prefix = ''], flags, context) =>
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
