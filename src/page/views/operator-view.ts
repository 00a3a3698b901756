/** Targets, their health and the error journal, for operators with a token. The token is stored for this tab only. */

import { hasOperatorRoutes, readAsOperator, describeError } from '../api.js'
import { element, pageElement, createTable } from '../element.js'
import { formatTime, listRows, formatCell, type AnswerRow } from '../format.js'

const KEY = 'vortex-ingest-operator-token'

type Section = {
  readonly id: string
  readonly path: string
  readonly columns: readonly string[]
  readonly empty: string
}

const SECTIONS: readonly Section[] = [
  {
    ...{ id: 'targets', path: 'targets', empty: 'No targets are registered.' },
    columns: ['name', 'kind', 'address', 'required', 'bucket', 'lag', 'last_success', 'last_error'],
  },
  {
    ...{ id: 'health', path: 'storage/bucket-health', empty: 'No target or bucket is known.' },
    columns: ['subject', 'name', 'state', 'errors', 'last_success', 'last_error'],
  },
  {
    ...{ id: 'journal', path: 'storage/errors', empty: 'No errors.' },
    columns: ['time', 'subject', 'name', 'operation', 'code', 'message', 'attempt'],
  },
]

export class OperatorView {
  readonly #token = pageElement('operator-token') as HTMLInputElement

  constructor() {
    pageElement('operator-form').addEventListener('submit', event => {
      event.preventDefault()
      sessionStorage.setItem(KEY, this.#token.value)
      this.#token.value = ''
      void this.show()
    })
    pageElement('operator-leave').addEventListener('click', () => {
      sessionStorage.removeItem(KEY)
      void this.show()
    })
  }

  async show(): Promise<void> {
    this.#showOnly()
    try {
      if (!(await hasOperatorRoutes())) {
        sessionStorage.removeItem(KEY)
        showFailure('')
        return this.#showOnly('operator-none')
      }
      const token = sessionStorage.getItem(KEY)
      if (token === null) return this.#showOnly('operator-form')
      for (const section of SECTIONS) await fill(section, token)
      showFailure('')
      this.#showOnly('operator-answers')
    } catch (error) {
      sessionStorage.removeItem(KEY)
      this.#showOnly('operator-form')
      showFailure(`Cannot load: ${describeError(error)}.`)
    }
  }

  #showOnly(shown?: string): void {
    for (const id of ['operator-none', 'operator-form', 'operator-answers']) pageElement(id).hidden = id !== shown
  }
}

async function fill({ id, path, columns, empty }: Section, token: string): Promise<void> {
  const rows = listRows(await readAsOperator(path, token))
  const known = columns.filter(name => rows.some(row => name in row))
  const cells = known.map(name => ({
    heading: name.replaceAll('_', ' '),
    cell: (row: AnswerRow) => createCell(name, row),
  }))
  pageElement(id).replaceChildren(createTable(id, cells, rows, empty))
}

function createCell(name: string, row: AnswerRow): HTMLElement | string {
  const text = formatCell(row[name])
  if (name === 'state') return element('span', { class: STATES[text] }, text)
  return /^\d{4}-\d\d-\d\dT/.test(text) ? formatTime(text) : text
}

/** States that have a colour. Unknown states have none. */
const STATES: Readonly<Record<string, string>> = { ok: 'good', recovered: 'good', failing: 'bad' }

function showFailure(text: string): void {
  const failing = pageElement('operator-failed')
  failing.textContent = text
  failing.hidden = text === ''
}
