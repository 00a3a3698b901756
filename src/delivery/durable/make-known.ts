/** A command's target as state remembers it. */

import { know } from '../../state/target-record.js'
import type { State } from '../../state/state.js'
import type { Target } from '../opening.js'

export function makeKnown(state: State, { name, opener }: Target): Promise<void> {
  return know(state, { name: opener.id, kind: name, description: opener.description })
}
