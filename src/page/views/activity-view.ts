/** Recent activity: the last pushes to this server and the newest stored commits. */

import type { CommitEntry, PushEntry } from '../../server/read/answers.js'
import { describeError, readCommits, readPushes } from '../api.js'
import { element, pageElement, webLink, type Child, createTable, type Column } from '../element.js'
import { formatCount, formatTime, formatValue, shortSha } from '../format.js'

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
    const failing = pageElement('activity-failed')
    try {
      const [{ since, pushes }, commits] = await Promise.all([readPushes(), readCommits(COMMITS)])
      pageElement('pushes').replaceChildren(createTable('Last pushes', PUSHES, pushes, 'None yet.'))
      pageElement('commits').replaceChildren(createTable('Last commits', COMMIT_COLUMNS, commits, 'None yet.'))
      pageElement('pushes-since').textContent = formatTime(since)
      failing.hidden = true
    } catch (error) {
      failing.textContent = `Cannot refresh: ${describeError(error)}.`
      failing.hidden = false
    }
  }
}

const count = (value: number | undefined): string => (value === undefined ? '–' : formatCount(value))

const PUSHES: readonly Column<PushEntry>[] = [
  { heading: 'Time', cell: ({ time }) => formatTime(time) },
  { heading: 'Result', cell: createState },
  { heading: 'Commit', cell: ({ commit }) => (commit === undefined ? '–' : sha(commit)) },
  { heading: 'Records', isNumber: true, cell: ({ records }) => count(records) },
  { heading: 'Inserted', isNumber: true, cell: ({ inserted }) => count(inserted) },
  { heading: 'Updated', isNumber: true, cell: ({ updated }) => count(updated) },
  { heading: 'Size', isNumber: true, cell: ({ bytes }) => (bytes === undefined ? '–' : formatValue(bytes, 'bytes')) },
  { heading: 'Took', isNumber: true, cell: ({ ms }) => formatValue(ms * 1e6, 'ns') },
]

const COMMIT_COLUMNS: readonly Column<CommitEntry>[] = [
  { heading: 'Commit', cell: ({ url, commit_sha }) => webLink(url, shortSha(commit_sha), { class: 'sha' }) },
  { heading: 'Time', cell: ({ timestamp }) => formatTime(timestamp) },
  { heading: 'Message', cell: ({ message }) => (message ?? '').split('\n', 1)[0] },
  { heading: 'Author', cell: ({ author_name }) => author_name ?? '–' },
]

function createState({ status, error }: PushEntry): Child {
  const isGood = status === 200
  const text = isGood ? 'applied' : `${status ?? ''} ${error ?? 'refused'}`.trim()
  return element('span', { class: isGood ? 'good' : 'bad' }, text)
}

function sha(commit: string): HTMLElement {
  return element('span', { class: 'sha' }, shortSha(commit))
}
