/** JSON of a journal event. */

import type { JournalEvent } from './journal-event.js'

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
}: JournalEvent): object {
  return { id, time, sort, name, operation, code, message, attempt, run }
}
