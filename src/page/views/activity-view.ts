/** Recent activity: the last pushes to this server and the newest stored commits. */

import { readCommits, readPushes, type Push, type StoredCommit } from '../api.js'
import { element, part, webLink, type Child } from '../element.js'
import { formatCount, formatTime, formatValue, shortSha } from '../format.js'
import { messageOf } from '../message.js'
import { tableOf, type Column } from './table.js'

const REFRESH_MS = 15_000
const COMMITS = 20

export class ActivityView {
  #refreshing: ReturnType<typeof setInterval> | undefined

  show(): void {
    void this.#read()
    this.#refreshing ??= setInterval(() => document.visibilityState === 'visible' && void this.#read(), REFRESH_MS)
  }

  hide(): void {
    clearInterval(this.#refreshing)
    this.#refreshing = undefined
  }

  async #read(): Promise<void> {
    const failing = part('activity-failed')
    try {
      const [{ since, pushes }, commits] = await Promise.all([readPushes(), readCommits(COMMITS)])
      part('pushes').replaceChildren(tableOf('Last pushes', PUSHES, pushes, 'None yet.'))
      part('commits').replaceChildren(tableOf('Last commits', COMMIT_COLUMNS, commits, 'None yet.'))
      part('pushes-since').textContent = formatTime(since)
      failing.hidden = true
    } catch (error) {
      failing.textContent = `This is not up to date: ${messageOf(error)}.`
      failing.hidden = false
    }
  }
}

const count = (value: number | undefined): string => (value === undefined ? '–' : formatCount(value))

const PUSHES: readonly Column<Push>[] = [
  { heading: 'Time', cell: ({ time }) => formatTime(time) },
  { heading: 'State', cell: stateOf },
  { heading: 'Commit', cell: ({ commit }) => (commit === undefined ? '–' : sha(commit)) },
  { heading: 'Records', isNumber: true, cell: ({ records }) => count(records) },
  { heading: 'Inserted', isNumber: true, cell: ({ inserted }) => count(inserted) },
  { heading: 'Updated', isNumber: true, cell: ({ updated }) => count(updated) },
  { heading: 'Size', isNumber: true, cell: ({ bytes }) => (bytes === undefined ? '–' : formatValue(bytes, 'bytes')) },
  { heading: 'Took', isNumber: true, cell: ({ ms }) => formatValue(ms * 1e6, 'ns') },
]

const COMMIT_COLUMNS: readonly Column<StoredCommit>[] = [
  { heading: 'Commit', cell: ({ url, commit_sha }) => webLink(url, shortSha(commit_sha), { class: 'sha' }) },
  { heading: 'Time', cell: ({ timestamp }) => formatTime(timestamp) },
  { heading: 'Message', cell: ({ message }) => (message ?? '').split('\n', 1)[0] },
  { heading: 'Author', cell: ({ author_name }) => author_name ?? '–' },
]

function stateOf({ status, error }: Push): Child {
  const isGood = status === 200
  const text = isGood ? 'applied' : `${status ?? ''} ${error ?? 'refused'}`.trim()
  return element('span', { class: isGood ? 'good' : 'bad' }, text)
}

function sha(commit: string): HTMLElement {
  return element('span', { class: 'sha' }, shortSha(commit))
}
