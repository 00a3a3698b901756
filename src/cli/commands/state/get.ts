/** `state get`: prints one object of a state unchanged. */

import { isUtf8 } from 'node:buffer'
import { requiredStateConfig } from '../../../config/state.js'
import { EXIT, IngestError } from '../../../errors.js'
import { type StateAction, withState } from './with-state.js'
import type { StateGetReport } from '../../../reports/state.js'

export const get: StateAction = ([key = ''], flags, context) =>
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
