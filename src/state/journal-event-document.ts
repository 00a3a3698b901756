/** JSON of a journal event. */

import type { JournalEvent } from './journal-event.js'
import type { JournalEventReport } from '../reports/state.js'

export function journalEventDocument({
  id,
  time,
  sort,
  name,
  operation,
  code,
  message,
  attempt,
  run,
}: JournalEvent): JournalEventReport {
  return { id, time, sort, name, operation, code, message, attempt, run }
}
