/** Where rejected lines are, for reports and for people. */

import type { PushReport } from '../../reports/delivery.js'
import { reasonsPath } from '../../source/rejection.js'
import type { SavedRejects } from '../../source/rejects.js'

export function rejectsReport(rejects: SavedRejects | undefined): PushReport['rejects'] {
  if (rejects === undefined) return null
  const { rejected, file, id, isInState } = rejects
  const reasons = file === undefined ? null : reasonsPath(file)
  return { lines: rejected, file: file ?? null, reasons, set: id ?? null, in_state: isInState }
}

export function rejectPlaces({ file, id, isInState }: SavedRejects): string {
  const places = [
    ...(file === undefined ? [] : [`${file} (reasons in ${reasonsPath(file)})`]),
    ...(isInState ? [`the state as ${id}`] : []),
  ]
  return places.join(' and in ')
}
