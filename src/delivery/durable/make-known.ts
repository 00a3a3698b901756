/** Records a command's target in the state, so that records are retained until they are delivered to it. */

import { recordTarget } from '../../state/target-record.js'
import type { State } from '../../state/state.js'
import type { Target } from '../opening.js'

export function makeKnown(state: State, { kind, opener }: Target): Promise<void> {
  return recordTarget(state, { id: opener.id, kind, description: opener.description })
}
