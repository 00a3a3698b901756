/** A command's target as state remembers it. */

import { recordTarget } from '../../state/target-record.js'
import type { State } from '../../state/state.js'
import type { Target } from '../opening.js'

export function makeKnown(state: State, { name, opener }: Target): Promise<void> {
  return recordTarget(state, { id: opener.id, kind: name, description: opener.description })
}
